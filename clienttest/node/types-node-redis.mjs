// The data types' commands as node-redis has them; see types.mjs.
import assert from "node:assert/strict";

async function strings({ redis }) {
  await redis.set("s", "Hello");
  await redis.append("s", " World");
  await redis.strLen("s");
  await redis.getRange("s", -5, -1);
  await redis.setRange("s", 6, "Redis");
  await redis.getSet("s", "new");
  await redis.mSetNX({ s: "1", t: "2" });
  await redis.mGet(["s", "none"]);
  await redis.incrBy("n", 41);
  await redis.decr("n");
  await redis.incrByFloat("n", 0.5);
  await redis.lcs("s", "s");
  await redis.lcsLen("s", "n");
  await redis.getDel("s");
  await redis.setBit("b", 7, 1);
  await redis.getBit("b", 7);
  await redis.bitCount("b", { start: 0, end: 0 });
  await redis.bitPos("b", 1, 0, -1);
  await redis.bitOp("NOT", "c", "b");
  await redis.bitField("f", [{ operation: "INCRBY", encoding: "i5", offset: 100, increment: 1 }, { operation: "GET", encoding: "u4", offset: 0 }]);
  await redis.bitFieldRo("f", [{ encoding: "u8", offset: 96 }]);
  await redis.pfAdd("h", ["a", "b", "c"]);
  await redis.pfAdd("h2", ["c", "d"]);
  await redis.pfCount(["h", "h2"]);
  await redis.pfMerge("m", ["h", "h2"]);
  await redis.pfCount("m");
  await redis.lPush("l", "1");
  await redis.get("l");
}

async function hashes({ redis, unordered }) {
  await redis.hSet("h", { a: "1", b: "two", c: "3.5" });
  await redis.hSet("h", "d", 4);
  await redis.hSetNX("h", "a", "no");
  await redis.hGet("h", "a");
  await redis.hGet("h", "none");
  await redis.hmGet("h", ["a", "none"]);
  await redis.hGetAll("h");
  await redis.hGetAll("none");
  await redis.hKeys("h");
  await redis.hVals("h");
  await redis.hLen("h");
  await redis.hExists("h", "a");
  await redis.hStrLen("h", "b");
  await redis.hIncrBy("h", "a", -10);
  await redis.hIncrByFloat("h", "c", 0.25);
  await redis.hIncrBy("h", "b", 1);
  await redis.hDel("h", ["a", "none"]);
  await redis.hSet("one", "f", "v");
  await redis.hRandField("one");
  await redis.hRandFieldCount("one", -2);
  await redis.hRandFieldCountWithValues("one", 5);
  await redis.hScan("one", "0", { MATCH: "*", COUNT: 10 });
  await unordered.hRandFieldCount("h", 10);
  await redis.set("s", "x");
  await redis.hSet("s", "f", "1");
}

async function lists({ redis }) {
  await redis.rPush("l", ["a", "b", "c", "b"]);
  await redis.lPush("l", ["z", "y"]);
  await redis.lPushX("none", "1");
  await redis.rPushX("l", "end");
  await redis.lRange("l", 0, -1);
  await redis.lLen("l");
  await redis.lIndex("l", -1);
  await redis.lIndex("l", 99);
  await redis.lSet("l", 0, "first");
  await redis.lSet("l", 99, "x");
  await redis.lInsert("l", "BEFORE", "a", "before");
  await redis.lPos("l", "b");
  await redis.lPos("l", "b", { RANK: -1 });
  await redis.lPosCount("l", "b", 0);
  await redis.lRem("l", -1, "b");
  await redis.lTrim("l", 1, -2);
  await redis.lPop("l");
  await redis.rPopCount("l", 2);
  await redis.lPopCount("none", 2);
  await redis.rPush("src", ["1", "2", "3"]);
  await redis.rPopLPush("src", "dst");
  await redis.lMove("src", "dst", "LEFT", "RIGHT");
  await redis.lmPop(["none", "dst"], "LEFT", { COUNT: 5 });
  await redis.lmPop("none", "RIGHT");
  await redis.blPop(["none", "src"], 1);
  await redis.brPop("none", 0.01);
  await redis.blMove("none", "dst", "LEFT", "LEFT", 0.01);
  await redis.blmPop(0.01, "none", "LEFT");
}

async function sets({ redis, unordered }) {
  await redis.sAdd("n", ["3", "1", "2", "2"]);
  await redis.sAdd("w", ["a", "b", "c"]);
  await redis.sAdd("v", ["b", "c", "d"]);
  await redis.sCard("w");
  await redis.sIsMember("w", "a");
  await redis.smIsMember("w", ["a", "z"]);
  await redis.sMembers("n");
  await redis.sInter(["n", "none"]);
  await redis.sInterCard(["w", "v"], 1);
  await redis.sDiffStore("diff", ["w", "v"]);
  await redis.sInterStore("inter", ["w", "v"]);
  await redis.sUnionStore("union", ["w", "v"]);
  await redis.sMove("w", "v", "a");
  await redis.sRem("v", ["a", "b", "zzz"]);
  await redis.sPop("diff");
  await redis.sPop("none");
  await redis.sPopCount("none", 2);
  await redis.sAdd("one", "x");
  await redis.sRandMember("one");
  await redis.sRandMemberCount("one", -3);
  await redis.sScan("one", "0");
  await unordered.sMembers("union");
  await unordered.sUnion(["n", "w", "v"]);
  await unordered.sDiff(["union", "w"]);
}

async function zsets({ redis }) {
  const members = [{ score: 1, value: "one" }, { score: 2, value: "two" }, { score: 2, value: "deux" }, { score: -1.5, value: "minus" }, { score: 3e20, value: "big" }];
  await redis.zAdd("z", members);
  await redis.zAdd("z", members[0], { condition: "NX" });
  await redis.zAdd("z", { score: 1.25, value: "one" }, { condition: "XX", CH: true });
  await redis.zAdd("z", { score: 1, value: "one" }, { comparison: "GT", CH: true });
  await redis.zAddIncr("z", { score: 0.1, value: "one" });
  await redis.zAdd("l", ["a", "b", "c", "d"].map((value) => ({ score: 0, value })));
  await redis.zIncrBy("z", 0.1, "one");
  await redis.zScore("z", "one");
  await redis.zScore("z", "none");
  await redis.zmScore("z", ["one", "none", "big"]);
  await redis.zCard("z");
  await redis.zCount("z", "(1", 2);
  await redis.zLexCount("l", "-", "(c");
  await redis.zRank("z", "two");
  await redis.zRevRank("z", "none");
  await redis.zRange("z", 0, -1);
  await redis.zRangeWithScores("z", 0, -1);
  await redis.zRangeWithScores("z", "(1", "+inf", { BY: "SCORE", LIMIT: { offset: 1, count: 2 } });
  await redis.zRange("l", "-", "[b", { BY: "LEX" });
  await redis.zRangeByScoreWithScores("z", "-inf", "(3e20");
  await redis.zRangeByLex("l", "[b", "+");
  await redis.zRangeStore("st", "z", 0, 1);
  await redis.zRem("z", ["deux", "none"]);
  await redis.zRemRangeByRank("st", 0, 0);
  await redis.zRemRangeByScore("st", "-inf", "+inf");
  await redis.zRemRangeByLex("l", "[a", "(b");
  await redis.zAdd("a", [{ score: 1, value: "x" }, { score: 2, value: "y" }]);
  await redis.zAdd("b", [{ score: 10, value: "y" }, { score: 20, value: "z" }]);
  await redis.zUnionStore("u", [{ key: "a", weight: 2 }, { key: "b", weight: 0.5 }], { AGGREGATE: "SUM" });
  await redis.zInterStore("i", ["a", "b"]);
  await redis.zDiffStore("d", ["a", "b"]);
  await redis.zUnionWithScores(["a", "b"]);
  await redis.zInterWithScores(["a", "b"]);
  await redis.zDiffWithScores(["a", "b"]);
  await redis.zInterCard(["a", "b"]);
  await redis.zPopMin("z");
  await redis.zPopMaxCount("z", 2);
  await redis.zPopMax("none");
  await redis.zmPop(["none", "l"], "MAX", { COUNT: 2 });
  await redis.zmPop("none", "MIN");
  await redis.bzPopMin(["none", "u"], 1);
  await redis.bzPopMax("none", 0.01);
  await redis.bzmPop(1, "u", "MIN", { COUNT: 9 });
  await redis.zAdd("z1", { score: 1, value: "m" });
  await redis.zRandMember("z1");
  await redis.zRandMemberCountWithScores("z1", -2);
  await redis.zScan("z1", "0");
  await redis.set("s", "1");
  await redis.zAdd("s", members);
}

async function streams({ redis }) {
  await redis.xAdd("x", "1-1", { a: "1" });
  await redis.xAdd("x", "1-2", { a: "2", b: "3" });
  await redis.xAdd("x", "2-0", { c: "4" });
  await redis.xAdd("x", "2-0", { c: "5" });
  await redis.xAdd("x", "3-0", { d: "6" }, { TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: 100 } });
  await redis.xLen("x");
  await redis.xRange("x", "-", "+");
  await redis.xRange("x", "(1-1", "2", { COUNT: 1 });
  await redis.xRevRange("x", "+", "-", { COUNT: 2 });
  await redis.xRead([{ key: "x", id: "1-1" }, { key: "none", id: "0" }], { COUNT: 2 });
  await redis.xRead({ key: "none", id: "0" });
  await redis.xDel("x", ["1-1", "9-9"]);
  await redis.xTrim("x", "MAXLEN", 3);
  await redis.xSetId("x", "9-0");
  await redis.xGroupCreate("x", "g", "0");
  await redis.xGroupCreate("x", "g", "0");
  await redis.xGroupCreate("new", "g", "$", { MKSTREAM: true });
  await redis.xGroupCreateConsumer("x", "g", "bob");
  await redis.xReadGroup("g", "alice", { key: "x", id: ">" }, { COUNT: 1 });
  await redis.xReadGroup("g", "bob", { key: "x", id: ">" });
  await redis.xReadGroup("g", "bob", { key: "x", id: "0" });
  await redis.xReadGroup("g", "bob", { key: "x", id: ">" });
  await redis.xAck("x", "g", ["2-0", "9-9"]);
  await redis.xPending("x", "g");
  await redis.xPending("new", "g");
  await redis.xClaim("x", "g", "carol", 0, "3-0");
  await redis.xClaimJustId("x", "g", "carol", 0, "3-0");
  await redis.xAutoClaim("x", "g", "dave", 0, "0");
  await redis.xAutoClaimJustId("x", "g", "dave", 0, "0");
  await redis.xInfoGroups("x");
  await redis.xInfoStream("x");
  await redis.xGroupSetId("x", "g", "0");
  await redis.xGroupDelConsumer("x", "g", "dave");
  await redis.xGroupDestroy("x", "g");
  await redis.xReadGroup("none", "bob", { key: "x", id: ">" });
}

async function geo({ redis }) {
  const center = { longitude: 15, latitude: 37 };
  await redis.geoAdd("g", [{ longitude: 13.361389, latitude: 38.115556, member: "Palermo" }, { longitude: 15.087269, latitude: 37.502669, member: "Catania" }]);
  await redis.geoDist("g", "Palermo", "Catania", "km");
  await redis.geoDist("g", "Palermo", "none");
  await redis.geoHash("g", ["Palermo", "none"]);
  await redis.geoPos("g", ["Palermo", "none"]);
  await redis.geoSearch("g", center, { radius: 200, unit: "km" }, { SORT: "ASC" });
  await redis.geoSearchWith("g", "Palermo", { width: 500, height: 300, unit: "km" }, ["WITHCOORD", "WITHDIST", "WITHHASH"], { SORT: "DESC", COUNT: 1 });
  await redis.geoSearchStore("out", "g", center, { radius: 200, unit: "km" });
  await redis.geoRadius("g", center, 200, "km", { SORT: "ASC" });
}

async function keys({ redis, client, say }) {
  await redis.rPush("l", ["3", "1", "2"]);
  await redis.mSet({ w1: "30", w2: "20", w3: "10" });
  await redis.hSet("o2", "name", "two");
  await redis.sort("l");
  await redis.sort("l", { BY: "w*", GET: ["#", "w*", "o*->name"], DIRECTION: "DESC", LIMIT: { offset: 0, count: 2 } });
  await redis.sortRo("l", { ALPHA: true });
  await redis.sortStore("l", "sorted");
  await redis.zAdd("z", { score: 1, value: "m" });
  await redis.sAdd("set", ["1", "2"]);
  await redis.xAdd("x", "1-1", { k: "v" });
  await redis.hSet("h", "f", "v");
  for (const key of ["w1", "l", "z", "set", "x", "h"]) {
    const dump = await client.sendCommand(["DUMP", key], { typeMapping: { 36: Buffer } });
    say(`restored ${key}`, await client.sendCommand(["RESTORE", `${key}2`, "3600000", dump]));
    say("again", await client.sendCommand(["RESTORE", `${key}2`, "0", dump]).catch((err) => err.message));
    await redis.type(`${key}2`);
    await redis.copy(key, `${key}3`);
    await redis.renameNX(`${key}3`, `${key}2`);
    await redis.expire(key, 100, "NX");
    await redis.persist(key);
    await redis.ttl(key);
    await redis.touch([key, "none"]);
  }
  await redis.lRange("l2", 0, -1);
  await redis.zRangeWithScores("z2", 0, -1);
  await redis.hGetAll("h2");
  await redis.xRange("x2", "-", "+");
}

async function waits({ redis, blocked }) {
  await blocked("blPop", [["p", "q"], 20], () => redis.rPush("q", ["x", "y"]));
  await blocked("brPop", ["w", 0], () => redis.rPush("w", ["1", "2"]));
  await blocked("blMove", ["from", "to", "LEFT", "RIGHT", 20], () => redis.lPush("from", "x"));
  await blocked("blmPop", [20, "from", "RIGHT", { COUNT: 2 }], () => redis.rPush("from", ["1", "2", "3"]));
  await blocked("bzPopMin", [["z1", "z2"], 20], () => redis.zAdd("z2", { score: 1.5, value: "m" }));
  await blocked("xRead", [{ key: "x", id: "$" }, { BLOCK: 20_000 }], () => redis.xAdd("x", "1-1", { k: "v" }));
}

async function transactions({ client, redis, say }) {
  const multi = client.multi().set("n", 1).incr("n").hSet("h", "f", "v").hGetAll("h").zAdd("z", { score: 1, value: "m" }).zRangeWithScores("z", 0, -1).blPop("none", 1);
  say("multi", await multi.exec());
  say("failed", await client.multi().get("n").lPush("n", "x").exec().catch((err) => [err.message, err.replies.map(String)]));
  const other = await client.duplicate().connect();
  await client.watch("n");
  await other.incr("n");
  say("watch", await client.multi().set("n", 100).exec().catch((err) => err.constructor.name));
  await client.watch("n");
  say("watch", await client.multi().set("n", 100).get("n").exec());
  other.destroy();
  await redis.get("n");
}

export const parts = [strings, hashes, lists, sets, zsets, streams, geo, keys, waits, transactions];

// newer is what redis-server 7.0 has not.
export async function newer(client) {
  await client.flushAll();
  await client.hSet("h", { a: "1", b: "2", c: "3" });
  assert.deepEqual(await client.hExpire("h", ["a", "none"], 60), [1, -2]);
  assert.deepEqual(await client.hExpire("h", "a", 90, "NX"), [0]);
  assert.deepEqual(await client.hTTL("h", ["a", "b"]), [60, -1]);
  assert.deepEqual(await client.hpExpire("h", "b", 60_000), [1]);
  assert.ok((await client.hpTTL("h", "b"))[0] <= 60_000);
  const at = Math.floor(Date.now() / 1000) + 3600;
  assert.deepEqual(await client.hExpireAt("h", "a", at), [1]);
  assert.deepEqual(await client.hExpireTime("h", "a"), [at]);
  assert.deepEqual(await client.hpExpireTime("h", "a"), [at * 1000]);
  assert.deepEqual(await client.hPersist("h", ["a", "c"]), [1, -1]);
  assert.deepEqual(await client.hGetEx("h", "a", { expiration: { type: "EX", value: 30 } }), ["1"]);
  assert.deepEqual(await client.hGetDel("h", "a"), ["1"]);
  assert.equal(Number(await client.hSetEx("h", { d: "4" }, { expiration: { type: "PX", value: 60_000 } })), 1);
  assert.deepEqual((await client.hScanNoValues("h", "0")).fields.sort(), ["b", "c", "d"]);
  await client.zAdd("z", { score: 1.5, value: "m" });
  assert.deepEqual({ ...(await client.zRankWithScore("z", "m")) }, { rank: 0, score: 1.5 });
}
