// node-redis 6 (RESP3 unless told otherwise) and 5, over every transport.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as v6 from "redis";
import * as v5 from "redis5";
import * as target from "./target.mjs";

const { host, port, password, sessionJSON } = target;
const socket = { host, port };
const tls = { host, port: target.tlsPort, tls: true, ca: readFileSync(target.caFile), servername: "localhost" };

const ways = {
  "6": () => v6.createClient({ socket, password }),
  "6 resp2": () => v6.createClient({ socket, password, RESP: 2 }),
  "6 user, name and db": () => v6.createClient({ socket, username: "default", password, name: "bff", database: 3 }),
  "6 url": () => v6.createClient({ url: `redis://default:${password}@${host}:${port}/2` }),
  "6 tls": () => v6.createClient({ socket: tls, password }),
  "6 unix": () => v6.createClient({ socket: { path: target.socket }, password }),
  "5": () => v5.createClient({ socket, password }),
  "5 resp3": () => v5.createClient({ socket, password, RESP: 3 }),
  "5 user, name and db": () => v5.createClient({ socket, username: "default", password, name: "bff", database: 3 }),
  "5 tls": () => v5.createClient({ socket: tls, password }),
  "5 unix": () => v5.createClient({ socket: { path: target.socket }, password }),
};

for (const [name, create] of Object.entries(ways)) {
  test(`node-redis ${name}`, async (t) => {
    const client = await create().on("error", (err) => assert.fail(err)).connect();
    t.after(() => client.destroy());
    const prefix = `myapp:${name}:`;

    await t.test("a session's life", async () => {
      const key = prefix + "s1";
      assert.equal(await client.set(key, sessionJSON, { expiration: { type: "EX", value: 900 } }), "OK");
      assert.equal(await client.get(key), sessionJSON);
      assert.equal(await client.ttl(key), 900);
      assert.equal(Number(await client.expire(key, 100)), 1);
      assert.ok((await client.pTTL(key)) <= 100_000);
      assert.equal(await client.get(prefix + "none"), null);
      assert.equal(await client.set(key, "x", { condition: "NX" }), null);
      assert.deepEqual(await client.mGet([key, prefix + "none"]), [sessionJSON, null]);
      assert.equal(await client.getEx(key, { type: "PX", value: 5000 }), sessionJSON);
      assert.equal(await client.del(key), 1);
      assert.equal(await client.ttl(key), -2);
    });

    await t.test("many at once, and scan", async () => {
      const sets = [];
      for (let i = 0; i < 500; i++) sets.push(client.set(`${prefix}p${i}`, String(i)));
      assert.ok((await Promise.all(sets)).every((ok) => ok === "OK"));
      await assert.rejects(client.sendCommand(["SET", "k"]), /wrong number of arguments for 'set' command/);
      const keys = new Set();
      for await (const page of client.scanIterator({ MATCH: prefix + "p*", COUNT: 50 })) page.forEach((key) => keys.add(key));
      assert.equal(keys.size, 500);
      assert.equal(await client.unlink([...keys]), 500);
      assert.equal(await client.incrByFloat(prefix + "f", 0.1).then(Number), 0.1);
    });

    await t.test("introspection", async () => {
      assert.match(await client.info("server"), /redis_version:\d+\.\d+\.\d+/);
      assert.equal((await client.configGet("maxmemory")).maxmemory, "0");
      assert.equal(await client.dbSize().then((n) => n >= 1), true);
      const info = await client.clientInfo();
      assert.equal(info.name, client.options.name ?? "");
      assert.equal(info.db, client.options.database ?? 0);
      if (target.hasSetInfo) {
        assert.equal(info.libName, "node-redis");
        assert.match(info.libVer, /^[56]\./);
      }
      const get = (await client.commandInfo(["get"]))[0];
      assert.equal(get.name, "get");
      assert.equal(get.arity, 2);
      assert.deepEqual(await client.commandGetKeys(["MSET", "a", "1", "b", "2"]), ["a", "b"]);
    });
  });
}

for (const [name, { createClient }] of Object.entries({ 6: v6, 5: v5 })) {
  test(`node-redis ${name}: wrong password`, async () => {
    const client = createClient({ socket: { ...socket, reconnectStrategy: false }, password: "wrong" });
    client.on("error", () => {});
    await assert.rejects(client.connect(), /WRONGPASS/);
  });

  test(`node-redis ${name}: MONITOR`, async () => {
    const client = await createClient({ socket, password }).connect();
    const watcher = await createClient({ socket, password, RESP: 2 }).connect();
    let seen;
    const line = new Promise((resolve) => (seen = resolve));
    await watcher.monitor((text) => String(text).includes("myapp:mon") && seen(String(text)));
    await client.set("myapp:mon", "1");
    assert.match(await line, /^\d{10}\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "myapp:mon" "1"$/);
    watcher.destroy();
    client.destroy();
  });

  test(`node-redis ${name}: a pool`, async () => {
    const { createClientPool } = name === "6" ? v6 : v5;
    const pool = await createClientPool({ socket, password }, { minimum: 2, maximum: 5 }).connect();
    const values = await Promise.all(Array.from({ length: 200 }, (_, i) => pool.set(`myapp:pool:${i}`, String(i)).then(() => pool.get(`myapp:pool:${i}`))));
    assert.deepEqual(values, Array.from({ length: 200 }, (_, i) => String(i)));
    await pool.close();
  });

  test(`node-redis ${name}: reconnects when its connection is killed`, async () => {
    const client = await createClient({ socket, password }).on("error", () => {}).connect();
    const killer = await createClient({ socket, password }).connect();
    const back = new Promise((resolve) => client.once("reconnecting", () => client.once("ready", resolve)));
    assert.equal(await killer.sendCommand(["CLIENT", "KILL", "ID", String(await client.clientId())]), 1);
    await back;
    assert.equal(await client.set("myapp:r", "1"), "OK");
    client.destroy();
    killer.destroy();
  });
}

for (const [name, create] of Object.entries({
  "6": () => v6.createClient({ socket, password }),
  "6 resp2": () => v6.createClient({ socket, password, RESP: 2 }),
  "6 tls": () => v6.createClient({ socket: tls, password }),
  "5": () => v5.createClient({ socket, password }),
  "5 resp3": () => v5.createClient({ socket, password, RESP: 3 }),
})) {
  test(`node-redis ${name}: pub/sub and keyspace events`, { timeout: 15_000 }, async (t) => {
    const client = await create().on("error", (err) => assert.fail(err)).connect();
    const sub = await create().on("error", (err) => assert.fail(err)).connect();
    t.after(() => client.destroy());
    t.after(() => sub.destroy());
    const heard = [];
    const listener = (message, channel) => heard.push(`${channel} ${message}`);
    await sub.subscribe([`${name}:a`, `${name}:b`], listener);
    await sub.pSubscribe(`${name}:p*`, listener);
    await sub.sSubscribe(`${name}:s`, listener);
    assert.equal(await client.publish(`${name}:a`, "one"), 1);
    assert.equal(await client.publish(`${name}:px`, "two"), 1);
    assert.equal(await client.sPublish(`${name}:s`, "three"), 1);
    assert.equal(await client.publish(`${name}:none`, "x"), 0);
    await target.eventually(() => heard.length === 3, "three messages");
    assert.deepEqual(heard, [`${name}:a one`, `${name}:px two`, `${name}:s three`]);
    assert.deepEqual(await client.pubSubNumSub([`${name}:a`, `${name}:none`]).then((n) => ({ ...n })), { [`${name}:a`]: 1, [`${name}:none`]: 0 });
    assert.match(await sub.ping(), /PONG|/i);
    await sub.unsubscribe(`${name}:a`);
    assert.equal(await client.publish(`${name}:a`, "unheard"), 0);

    await client.configSet("notify-keyspace-events", "KEA");
    const events = [];
    await sub.pSubscribe(`__keyspace@0__:${name}:*`, (event) => events.push(event));
    await client.set(`${name}:session`, sessionJSON, { expiration: { type: "PX", value: 30 } });
    await target.eventually(() => events.length === 3, "three events");
    assert.deepEqual(events, ["set", "expire", "expired"]);
    // By name: node-redis 5 waits for ever when one reply is for several.
    await sub.unsubscribe(`${name}:b`);
    await sub.pUnsubscribe(`${name}:p*`);
    await sub.pUnsubscribe(`__keyspace@0__:${name}:*`);
    await sub.sUnsubscribe(`${name}:s`);
    assert.equal(await sub.get(`${name}:session`), null);
  });
}

for (const [name, { createClient, BasicClientSideCache }] of Object.entries({ 6: v6, 5: v5 })) {
  test(`node-redis ${name}: client-side cache`, { timeout: 15_000 }, async (t) => {
    const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: "LRU" });
    const client = await createClient({ socket, password, RESP: 3, clientSideCache: cache }).connect();
    const other = await createClient({ socket, password }).connect();
    t.after(() => client.destroy());
    t.after(() => other.destroy());
    for (let i = 0; i < 50; i++) {
      await other.set("myapp:cached", String(i));
      await target.eventually(async () => (await client.get("myapp:cached")) === String(i), "the new value");
      assert.equal(await client.get("myapp:cached"), String(i));
    }
    assert.ok(cache.stats().hitCount > 0, JSON.stringify(cache.stats()));
    await other.flushAll();
    await target.eventually(async () => (await client.get("myapp:cached")) === null, "the flush");
  });
}

// Last: it empties the server.
test("node-redis: the server restarts", async () => {
  const clients = [];
  for (const { createClient } of [v6, v5]) {
    clients.push(await createClient({ socket, password }).on("error", () => {}).connect());
  }
  for (const client of clients) await client.set("myapp:before", "1");
  await target.restart();
  for (const client of clients) {
    await target.eventually(() => client.isReady, "the client is ready again");
    assert.equal(await client.set("myapp:after", "2"), "OK");
    client.destroy();
  }
});
