// The application of app.mjs on connect-redis 8 with ioredis and connect-redis
// 10 with node-redis 6, seen from the browser and from the store.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { RedisStore as RedisStore10 } from "connect-redis";
import { RedisStore as RedisStore8 } from "connect-redis8";
import Redis6 from "ioredis";
import Redis5 from "ioredis5";
import { createClient } from "redis";
import { Browser, listen } from "./app.mjs";
import { IORedisSessions, NodeRedisSessions } from "./operations.mjs";
import * as target from "./target.mjs";

const { host, port, password } = target;
const prefix = "myapp:";

const nodeRedis = async (options) => {
  const client = createClient({ socket: { host, port }, password, ...options });
  client.on("error", () => {}); // the server goes away in one of the tests
  return client.connect();
};
const ioRedis = async (Redis) => {
  const redis = new Redis({ host, port, password });
  redis.on("error", () => {});
  return redis;
};

const stacks = {
  "connect-redis 8, ioredis 5": async () => {
    const redis = await ioRedis(Redis5);
    return { store: new RedisStore8({ client: redis, prefix }), sessions: new IORedisSessions(redis), close: () => redis.disconnect() };
  },
  "connect-redis 8, ioredis 6": async () => {
    const redis = await ioRedis(Redis6);
    return { store: new RedisStore8({ client: redis, prefix }), sessions: new IORedisSessions(redis), close: () => redis.disconnect() };
  },
  "connect-redis 10, node-redis 6": async () => {
    const client = await nodeRedis();
    return { store: new RedisStore10({ client, prefix }), sessions: new NodeRedisSessions(client), close: () => client.destroy() };
  },
  "connect-redis 10, node-redis 6, RESP2": async () => {
    const client = await nodeRedis({ RESP: 2 });
    return { store: new RedisStore10({ client, prefix }), sessions: new NodeRedisSessions(client), close: () => client.destroy() };
  },
};

for (const [name, open] of Object.entries(stacks)) {
  describe(name, () => {
    let stack, server, admin;
    before(async () => {
      stack = await open();
      server = await listen(stack.store);
      admin = await ioRedis(Redis5);
    });
    after(() => {
      server.close();
      stack.close();
      admin.disconnect();
    });
    beforeEach(() => admin.flushall());

    const login = async () => {
      const browser = new Browser(server);
      const { status, body } = await browser.post("/login", { name: "Zoë" });
      assert.equal(status, 200, JSON.stringify(body));
      return { browser, id: body.id, key: prefix + body.id };
    };
    const near900 = (ttl) => ttl > 880 && ttl <= 900;

    test("login stores the session under its key, with its JSON and time to live", async () => {
      const { browser, id, key } = await login();
      assert.match(browser.setCookie, new RegExp(`^sid=s%3A${id}\\.`));
      assert.match(browser.setCookie, /; Domain=\.local\.com; Path=\/; Expires=[^;]+ GMT; HttpOnly; Secure$/);
      const expires = Date.parse(/Expires=([^;]+)/.exec(browser.setCookie)[1]);
      assert.ok(Math.abs(expires - Date.now() - 900_000) < 30_000);

      assert.deepEqual(await admin.keys("*"), [key]);
      assert.ok(near900(await admin.ttl(key)));
      const stored = JSON.parse(await admin.get(key));
      assert.ok(Date.parse(stored.cookie.expires) > Date.now());
      delete stored.cookie.expires;
      // What is left of it when the session is written, which may be a little less.
      const { originalMaxAge } = stored.cookie;
      assert.ok(originalMaxAge > 880_000 && originalMaxAge <= 900_000, `originalMaxAge ${originalMaxAge}`);
      assert.deepEqual(stored, {
        cookie: { originalMaxAge, secure: true, httpOnly: true, domain: ".local.com", path: "/" },
        user: { name: "Zoë" },
        visits: 0,
      });
      assert.deepEqual((await browser.get("/me")).body, { id, user: { name: "Zoë" }, visits: 0 });
    });

    test("without the proxy's word for TLS there is no cookie", async () => {
      const res = await fetch(`http://127.0.0.1:${server.address().port}/login`, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: "{}",
      });
      assert.equal(res.headers.get("set-cookie"), null);
    });

    test("a request touches the session, a change writes it", async () => {
      const { browser, key } = await login();
      await admin.expire(key, 100);
      const before = await admin.get(key);
      await admin.config("RESETSTAT");
      assert.equal((await browser.get("/me")).status, 200);
      await target.eventually(async () => near900(await admin.ttl(key)), "the session is touched");
      assert.equal(await admin.get(key), before);
      const stats = await admin.info("commandstats");
      assert.match(stats, /cmdstat_expire:calls=1,/);
      assert.doesNotMatch(stats, /cmdstat_set:/);

      assert.deepEqual((await browser.post("/visit")).body, { visits: 1 });
      assert.deepEqual((await browser.post("/visit")).body, { visits: 2 });
      assert.equal(JSON.parse(await admin.get(key)).visits, 2);
    });

    test("a login in a session changes its id and drops the old one", async () => {
      const { browser, key } = await login();
      const { body } = await browser.post("/login", { name: "Ada" });
      assert.notEqual(prefix + body.id, key);
      await target.eventually(async () => !(await admin.exists(key)), "the old session is gone");
      assert.deepEqual(await admin.keys(prefix + "*"), [prefix + body.id]);
      assert.equal((await browser.get("/me")).body.user.name, "Ada");
    });

    test("logout ends it", async () => {
      const { browser, key } = await login();
      assert.equal((await browser.post("/logout")).status, 200);
      assert.equal(await admin.exists(key), 0);
      assert.equal((await browser.get("/me")).status, 401);
    });

    test("an expired session gives a new one", async () => {
      const { browser, id, key } = await login();
      await admin.pexpire(key, 1);
      await target.eventually(async () => !(await admin.exists(key)), "the session expires");
      assert.equal((await browser.get("/me")).status, 401);
      const again = await browser.post("/login", { name: "Zoë" });
      assert.notEqual(again.body.id, id);
      assert.equal((await browser.get("/me")).body.user.name, "Zoë");
    });

    test("many users at once", async () => {
      const logins = await Promise.all(Array.from({ length: 150 }, login));
      assert.equal(new Set(logins.map(({ id }) => id)).size, 150);
      const answers = await Promise.all(logins.map(({ browser }) => browser.get("/me")));
      assert.ok(answers.every(({ status }, i) => status === 200 && answers[i].body.id === logins[i].id));
      assert.equal(await new Promise((resolve, reject) => stack.store.length((err, n) => (err ? reject(err) : resolve(n)))), 150);
      const all = await new Promise((resolve, reject) => stack.store.all((err, list) => (err ? reject(err) : resolve(list))));
      assert.deepEqual(all.map(({ id }) => id).sort(), logins.map(({ id }) => id).sort());
      await new Promise((resolve, reject) => stack.store.clear((err) => (err ? reject(err) : resolve())));
      assert.equal(await admin.dbsize(), 0);
    });

    test("the guide's operations", async () => {
      const logins = await Promise.all(Array.from({ length: 5 }, login));
      await admin.set("other:1", "not a session");
      assert.deepEqual((await stack.sessions.listActiveSessions()).sort(), logins.map(({ id }) => id).sort());

      await stack.sessions.invalidateSession(logins[0].id);
      assert.equal((await logins[0].browser.get("/me")).status, 401);
      assert.deepEqual((await stack.sessions.listActiveSessions()).sort(), logins.slice(1).map(({ id }) => id).sort());

      await stack.sessions.refreshSession(logins[1].id, 3600);
      const ttl = await admin.ttl(logins[1].key);
      assert.ok(ttl > 3580 && ttl <= 3600, String(ttl));
    });

    test("a restart of the store ends sessions but not the application", async () => {
      const { browser } = await login();
      await target.restart();
      const back = await target.eventually(async () => {
        const res = await browser.get("/me");
        return res.status !== 500 && res;
      }, "the application works again");
      assert.equal(back.status, 401); // this store keeps nothing on disk
      await browser.post("/login", { name: "Zoë" });
      assert.equal((await browser.get("/me")).body.user.name, "Zoë");
      await admin.ping();
    });
  });
}
