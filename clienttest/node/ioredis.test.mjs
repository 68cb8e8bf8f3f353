// ioredis 6 (RESP3 unless told otherwise) and 5, over every transport.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import Redis6 from "ioredis";
import Redis5 from "ioredis5";
import * as target from "./target.mjs";

const { host, port, password, sessionJSON } = target;
const tls = { ca: readFileSync(target.caFile), servername: "localhost" };

const ways = {
  "6": () => new Redis6({ host, port, password }),
  "6 resp2": () => new Redis6({ host, port, password, protocol: 2 }),
  "6 resp3 mapping": () => new Redis6({ host, port, password, protocol: 3, replyMapping: "resp3" }),
  "6 user, name and db": () => new Redis6({ host, port, username: "default", password, connectionName: "bff", db: 3 }),
  "6 tls": () => new Redis6({ host, port: target.tlsPort, password, tls }),
  "6 unix": () => new Redis6({ path: target.socket, password }),
  "5": () => new Redis5({ host, port, password }),
  "5 user, name and db": () => new Redis5({ host, port, username: "default", password, connectionName: "bff", db: 3 }),
  "5 url": () => new Redis5(`redis://default:${password}@${host}:${port}/2`),
  "5 tls": () => new Redis5({ host, port: target.tlsPort, password, tls }),
  "5 unix": () => new Redis5({ path: target.socket, password }),
  "5 key prefix": () => new Redis5({ host, port, password, keyPrefix: "pre:" }),
  "5 auto pipelining": () => new Redis5({ host, port, password, enableAutoPipelining: true }),
};

for (const [name, connect] of Object.entries(ways)) {
  test(`ioredis ${name}`, async (t) => {
    const redis = connect();
    t.after(() => redis.disconnect());
    const prefix = `myapp:${name}:`;
    const scanPrefix = (redis.options.keyPrefix ?? "") + prefix;

    await t.test("a session's life", async () => {
      const key = prefix + "s1";
      assert.equal(await redis.set(key, sessionJSON, "EX", 900), "OK");
      assert.equal(await redis.get(key), sessionJSON);
      assert.equal(await redis.ttl(key), 900);
      assert.equal(await redis.expire(key, 100), 1);
      assert.ok((await redis.pttl(key)) <= 100_000);
      assert.equal(await redis.get(prefix + "none"), null);
      assert.equal(await redis.set(key, "x", "NX"), null);
      assert.deepEqual(await redis.mget(key, prefix + "none"), [sessionJSON, null]);
      assert.equal(await redis.del(key), 1);
      assert.equal(await redis.ttl(key), -2);
    });

    await t.test("bytes", async () => {
      const bytes = Buffer.from([0, 13, 10, 255, 36, 45, 49, 13, 10]);
      await redis.set(prefix + "b", bytes);
      assert.deepEqual(await redis.getBuffer(prefix + "b"), bytes);
      assert.equal(await redis.incrbyfloat(prefix + "f", 0.1), "0.1");
    });

    await t.test("pipeline and scan", async () => {
      const pipeline = redis.pipeline();
      for (let i = 0; i < 500; i++) pipeline.set(`${prefix}p${i}`, i, "PX", 60_000);
      pipeline.call("set", prefix + "p0");
      const results = await pipeline.exec();
      assert.equal(results.length, 501);
      assert.ok(results.slice(0, 500).every(([err, ok]) => err === null && ok === "OK"));
      assert.match(results[500][0].message, /wrong number of arguments for 'set' command/);
      const keys = new Set();
      for await (const page of redis.scanStream({ match: scanPrefix + "p*", count: 50 })) page.forEach((key) => keys.add(key));
      assert.equal(keys.size, 500);
      const bare = [...keys].map((key) => key.slice((redis.options.keyPrefix ?? "").length));
      assert.equal(await redis.unlink(...bare), 500);
    });

    await t.test("introspection", async () => {
      assert.match(await redis.info("server"), /redis_version:\d+\.\d+\.\d+/);
      const config = await redis.config("GET", "maxmemory");
      const value = Array.isArray(config) ? config[1] : config instanceof Map ? config.get("maxmemory") : config.maxmemory;
      assert.equal(value, "0");
      assert.equal((await redis.client("GETNAME")) ?? "", redis.options.connectionName ?? "");
      const info = await redis.client("INFO");
      assert.match(info, new RegExp(` db=${redis.options.db ?? 0} `));
      if (target.hasSetInfo) assert.match(info, / lib-name=ioredis\S* lib-ver=\d/);
      await assert.rejects(redis.call("NOSUCH", "a"), /ERR unknown command 'NOSUCH', with args beginning with: 'a' /);
    });
  });
}

for (const [name, Redis] of Object.entries({ 6: Redis6, 5: Redis5 })) {
  test(`ioredis ${name}: wrong password`, async () => {
    const redis = new Redis({ host, port, password: "wrong", lazyConnect: true, retryStrategy: null });
    const errors = [];
    redis.on("error", (err) => errors.push(err));
    await assert.rejects(async () => {
      await redis.connect();
      await redis.get("k");
    });
    assert.ok(errors.some((err) => /WRONGPASS/.test(err.message)), String(errors));
    redis.disconnect();
  });

  test(`ioredis ${name}: MONITOR`, async () => {
    const redis = new Redis({ host, port, password });
    const watcher = new Redis({ host, port, password, ...(name === "6" ? { protocol: 2 } : {}) });
    const monitor = await watcher.monitor();
    const seen = new Promise((resolve) => monitor.on("monitor", (time, args, source, db) => args[1] === "myapp:mon" && resolve({ time, args, source, db })));
    await redis.set("myapp:mon", 'a "b"', "EX", 9);
    const got = await seen;
    assert.deepEqual(got.args.slice(1), ["myapp:mon", 'a "b"', "EX", "9"]);
    assert.match(got.source, /^127\.0\.0\.1:\d+$/);
    assert.match(got.time, /^\d{10}\.\d{6}$/);
    monitor.disconnect();
    watcher.disconnect();
    redis.disconnect();
  });

  test(`ioredis ${name}: reconnects when its connection is killed`, async () => {
    const redis = new Redis({ host, port, password });
    const killer = new Redis({ host, port, password });
    await redis.set("myapp:r", "1");
    const closed = new Promise((resolve) => redis.once("close", resolve));
    assert.equal(await killer.client("KILL", "ID", await redis.client("ID")), 1);
    await closed;
    assert.equal(await redis.get("myapp:r"), "1");
    redis.disconnect();
    killer.disconnect();
  });
}

for (const [name, Redis] of Object.entries({ 6: Redis6, 5: Redis5 })) {
  for (const protocol of name === "6" ? [2, 3] : [2]) {
    test(`ioredis ${name}: pub/sub and keyspace events in RESP${protocol}`, { timeout: 15_000 }, async () => {
      const options = { host, port, password, ...(name === "6" ? { protocol } : {}) };
      const redis = new Redis(options);
      const sub = new Redis(options);
      const heard = [];
      sub.on("message", (channel, message) => heard.push(`${channel} ${message}`));
      sub.on("pmessage", (pattern, channel, message) => heard.push(`${pattern} ${channel} ${message}`));
      sub.on("smessage", (channel, message) => heard.push(`shard ${channel} ${message}`));
      const at = `io${name}${protocol}`;
      assert.equal(await sub.subscribe(`${at}:a`, `${at}:b`), 2);
      assert.equal(await sub.psubscribe(`${at}:p*`), 3);
      assert.equal(await sub.ssubscribe(`${at}:s`), 1);
      assert.equal(await redis.publish(`${at}:a`, "one"), 1);
      assert.equal(await redis.publish(`${at}:px`, "two"), 1);
      assert.equal(await redis.spublish(`${at}:s`, "three"), 1);
      await target.eventually(() => heard.length === 3, "three messages");
      assert.deepEqual(heard, [`${at}:a one`, `${at}:p* ${at}:px two`, `shard ${at}:s three`]);
      assert.deepEqual(await redis.pubsub("NUMSUB", `${at}:a`), [`${at}:a`, 1]);
      await redis.config("SET", "notify-keyspace-events", "KEA");
      await sub.psubscribe(`__keyspace@0__:${at}:*`);
      await redis.set(`${at}:session`, "v", "PX", 30);
      await target.eventually(() => heard.length === 6, "three events");
      assert.deepEqual(heard.slice(3).map((line) => line.split(" ").pop()), ["set", "expire", "expired"]);
      // ioredis subscribes again when its connection is lost.
      const back = new Promise((resolve) => sub.once("ready", resolve));
      assert.ok(await redis.client("KILL", "TYPE", "pubsub"));
      await back;
      await target.eventually(() => redis.publish(`${at}:b`, "again"), "subscribed again");
      sub.disconnect();
      redis.disconnect();
    });
  }
}

// Last: it empties the server.
test("ioredis: the server restarts", async () => {
  const clients = [new Redis6({ host, port, password }), new Redis5({ host, port, password })];
  for (const redis of clients) {
    redis.on("error", () => {}); // refused while the server is away
    await redis.set("myapp:before", "1");
  }
  await target.restart();
  for (const redis of clients) {
    assert.equal(await redis.set("myapp:after", "2"), "OK");
    redis.disconnect();
  }
});
