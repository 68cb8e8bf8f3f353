// The data types' commands as ioredis has them; see types.mjs.
import assert from "node:assert/strict";

// lines runs one command a line; words are parted by blanks.
const lines = (text) => async ({ redis }) => {
  for (const line of text.trim().split("\n")) {
    const [name, ...args] = line.trim().split(/ +/);
    await redis[name](...args);
  }
};

const strings = lines(`
  set s Hello
  append s World
  strlen s
  getrange s -3 -1
  setrange s 1 a
  getset s new
  msetnx s 1 t 2
  mset t 2 u 3
  mget s t none
  incr n
  incrby n 41
  decrby n 100
  incrbyfloat n 0.5
  lcs s t LEN
  getdel s
  setbit b 7 1
  bitcount b 0 0
  bitpos b 1
  bitop NOT c b
  getBuffer c
  bitfield f INCRBY i5 100 1 GET u4 0 OVERFLOW FAIL INCRBY u2 8 9
  bitfield_ro f GET u8 0
  pfadd h a b c
  pfadd h2 c d
  pfcount h h2
  pfmerge m h h2
  pfcount m
  pfcount n
  lpush l 1
  get l
  setbit l 1 1
`);

const hashes = lines(`
  hset h a 1 b two c 3.5
  hmset h d 4
  hsetnx h a no
  hget h a
  hget h none
  hmget h a none c
  hgetall h
  hgetall none
  hkeys h
  hvals h
  hlen h
  hexists h a
  hstrlen h b
  hincrby h a -10
  hincrbyfloat h c 0.25
  hincrby h b 1
  hdel h a none
  hset one f v
  hrandfield one
  hrandfield one -2
  hrandfield one 5 WITHVALUES
  hscan one 0
  hscan h 0 MATCH c* COUNT 10
  set s x
  hset s f 1
`);

const lists = lines(`
  rpush l a b c b
  lpush l z y
  lpushx none 1
  rpushx l end
  lrange l 0 -1
  llen l
  lindex l -1
  lindex l 99
  lset l 0 first
  lset l 99 x
  linsert l BEFORE a before
  linsert l AFTER none x
  lpos l b
  lpos l b RANK -1
  lpos l b COUNT 0
  lpos l none
  lrem l -1 b
  ltrim l 1 -2
  lrange l 0 -1
  lpop l
  rpop l 2
  rpop none 3
  lpop none
  rpush src 1 2 3
  rpoplpush src dst
  lmove src dst LEFT RIGHT
  lmpop 2 none dst LEFT COUNT 5
  lmpop 1 none RIGHT
  blpop none src 1
  brpop none 0.01
  blmove none dst LEFT LEFT 0.01
  blmpop 0.01 1 none LEFT
  brpoplpush none dst 0.01
`);

async function sets(tools) {
  await lines(`
    sadd n 3 1 2 2
    sadd w a b c
    sadd v b c d
    scard w
    sismember w a
    smismember w a z
    smembers n
    sinter n none
    sintercard 2 w v LIMIT 1
    sdiffstore diff w v
    sinterstore inter w v
    sunionstore union w v
    smove w v a
    srem v a b zzz
    spop diff 5
    spop none
    srandmember none -3
    sadd one x
    srandmember one
    srandmember one -3
    sscan one 0
    spop one
    exists one diff
  `)(tools);
  await tools.unordered.smembers("union");
  await tools.unordered.sunion("n", "w", "v");
  await tools.unordered.sdiff("union", "w");
  await tools.unordered.sinter("union", "v");
}

const zsets = lines(`
  zadd z 1 one 2 two 2 deux -1.5 minus 3e20 big
  zadd z NX 9 one
  zadd z XX CH 1.25 one
  zadd z GT CH 1 one
  zadd z XX INCR 1 none
  zadd z INCR 0.25 one
  zadd l 0 a 0 b 0 c 0 d
  zincrby z 0.5 one
  zscore z one
  zscore z none
  zmscore z one none big
  zcard z
  zcount z (1 2
  zlexcount l - (c
  zrank z two
  zrevrank z none
  zrange z 0 -1
  zrange z 0 -1 WITHSCORES
  zrange z (1 +inf BYSCORE LIMIT 1 2
  zrange z +inf (1 BYSCORE REV
  zrange l - [b BYLEX
  zrevrange z 0 1 WITHSCORES
  zrangebyscore z -inf (3e20 WITHSCORES LIMIT 1 2
  zrevrangebyscore z +inf 1 WITHSCORES
  zrangebylex l [b +
  zrevrangebylex l + [b
  zrangestore st z 0 1
  zrem z deux none
  zremrangebyrank st 0 0
  zremrangebyscore st -inf +inf
  zremrangebylex l [a (b
  zadd a 1 x 2 y
  zadd b 10 y 20 z
  zunionstore u 2 a b WEIGHTS 2 0.5 AGGREGATE SUM
  zinterstore i 2 a b AGGREGATE MAX
  zdiffstore d 2 a b
  zunion 2 a b WITHSCORES
  zinter 2 a b WITHSCORES
  zdiff 2 a b WITHSCORES
  zintercard 2 a b
  zpopmin z
  zpopmax z 1
  zpopmax none
  zmpop 2 none l MAX COUNT 2
  zmpop 1 none MIN
  bzpopmin none u 1
  bzpopmax none 0.01
  bzmpop 1 1 u MIN COUNT 9
  zadd z1 1 m
  zrandmember z1
  zrandmember z1 -2 WITHSCORES
  zscan z1 0
  set s 1
  zadd s 1 x
  zadd z NX GT 1 x
`);

const streams = lines(`
  xadd x 1-1 a 1
  xadd x 1-2 a 2 b 3
  xadd x 2-0 c 4
  xadd x 2-0 c 5
  xadd x MAXLEN ~ 100 3-0 d 6
  xadd x NOMKSTREAM 4-0 e 7
  xadd none NOMKSTREAM * e 7
  xlen x
  xrange x - +
  xrange x (1-1 2 COUNT 1
  xrevrange x + - COUNT 2
  xread COUNT 2 STREAMS x none 1-1 0
  xread STREAMS none 0
  xdel x 1-1 9-9
  xtrim x MAXLEN 3
  xtrim x MINID 2-0
  xsetid x 9-0
  xgroup CREATE x g 0
  xgroup CREATE x g 0
  xgroup CREATE new g $ MKSTREAM
  xgroup CREATECONSUMER x g bob
  xreadgroup GROUP g alice COUNT 1 STREAMS x >
  xreadgroup GROUP g bob STREAMS x >
  xreadgroup GROUP g bob STREAMS x 0
  xreadgroup GROUP g bob STREAMS x >
  xack x g 2-0 9-9
  xpending x g
  xpending new g
  xclaim x g carol 0 3-0
  xclaim x g carol 0 3-0 JUSTID
  xautoclaim x g dave 0 0
  xautoclaim x g dave 0 0 JUSTID
  xinfo GROUPS x
  xinfo STREAM x
  xgroup SETID x g 0
  xgroup DELCONSUMER x g dave
  xgroup DESTROY x g
  xinfo GROUPS x
  xreadgroup GROUP none bob STREAMS x >
  set s 1
  xadd s * a 1
`);

const geo = lines(`
  geoadd g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
  geoadd g 200 0 off
  geodist g Palermo Catania km
  geodist g Palermo none
  geohash g Palermo none
  geopos g Palermo none
  geosearch g FROMLONLAT 15 37 BYRADIUS 200 km ASC
  geosearch g FROMMEMBER Palermo BYBOX 500 300 km DESC COUNT 1 WITHCOORD WITHDIST WITHHASH
  geosearchstore out g FROMLONLAT 15 37 BYRADIUS 200 km
  zrange out 0 -1 WITHSCORES
  georadius g 15 37 200 km WITHDIST ASC
  georadius_ro g 15 37 100 km
  georadiusbymember g Catania 200 km
`);

async function keys(tools) {
  await lines(`
    rpush l 3 1 2
    mset w1 30 w2 20 w3 10
    hset o2 name two
    rpush alpha b a 10
    sort l
    sort l BY w* GET # GET w* GET o*->name
    sort l DESC LIMIT 1 1
    sort alpha
    sort alpha ALPHA
    sort l STORE sorted
    sort_ro l
    lrange sorted 0 -1
    zadd z 1 m
    sadd set 1 2
    xadd x 1-1 k v
    hset h f v
  `)(tools);
  for (const key of ["w1", "l", "z", "set", "x", "h"]) {
    const dump = await tools.client.dumpBuffer(key);
    for (const [to, ttl, payload, ...more] of [[key, 0, dump], [`${key}2`, 3600_000, dump], [key, 0, dump, "REPLACE"], ["bad", 0, dump.subarray(1)]]) {
      await tools.client.restore(to, ttl, payload, ...more).then((ok) => tools.say(`restore ${to}`, ok), (err) => tools.say(`restore ${to}`, err.message));
    }
    await tools.redis.type(key);
    await tools.redis.copy(key, `${key}3`);
    await tools.redis.object("REFCOUNT", "none");
    await tools.redis.rename(`${key}3`, `${key}4`);
    await tools.redis.move(`${key}4`, 5);
    await tools.redis.expire(key, 100, "NX");
    await tools.redis.persist(key);
    await tools.redis.ttl(key);
  }
  await tools.redis.lrange("l2", 0, -1);
  await tools.redis.zrange("z2", 0, -1, "WITHSCORES");
  await tools.redis.hgetall("h2");
  await tools.redis.xrange("x2", "-", "+");
  await tools.redis.smembers("set2");
}

async function waits({ redis, blocked }) {
  await blocked("blpop", ["p", "q", 20], () => redis.rpush("q", "x", "y"));
  await blocked("brpop", ["w", 0], () => redis.rpush("w", "1", "2"));
  await blocked("blmove", ["from", "to", "LEFT", "RIGHT", 20], () => redis.lpush("from", "x"));
  await blocked("blmpop", [20, 1, "from", "RIGHT", "COUNT", 2], () => redis.rpush("from", 1, 2, 3));
  await blocked("bzpopmin", ["z1", "z2", 20], () => redis.zadd("z2", 1.5, "m"));
  await blocked("bzmpop", [20, 1, "z1", "MAX", "COUNT", 9], () => redis.zadd("z1", 1, "a", 2, "b"));
  await blocked("xread", ["BLOCK", 20_000, "STREAMS", "x", "$"], () => redis.xadd("x", "1-1", "k", "v"));
  await redis.xgroup("CREATE", "x", "g", "$");
  await blocked("xreadgroup", ["GROUP", "g", "c", "BLOCK", 20_000, "STREAMS", "x", ">"], () => redis.xadd("x", "2-1", "k", "v"));
  await redis.lrange("to", 0, -1);
}

async function transactions({ client, redis, say }) {
  say("multi", await client.multi().set("n", 1).incr("n").lpush("n", "x").hset("h", "f", "v").hgetall("h").zadd("z", 1, "m").zrange("z", 0, -1, "WITHSCORES").blpop("none", 1).exec());
  await client.watch("n");
  await client.get("n");
  const other = client.duplicate();
  await other.incr("n");
  say("exec", await client.multi().set("n", 100).exec());
  await client.watch("n");
  say("exec", await client.multi().set("n", 100).get("n").exec());
  say("exec", await client.multi().set("n").get("n").exec().catch((err) => err.message));
  await redis.exec();
  await redis.discard();
  other.disconnect();
}

export const parts = [strings, hashes, lists, sets, zsets, streams, geo, keys, waits, transactions];

// newer is what redis-server 7.0 has not. ioredis has no methods of its own for it.
export async function newer(redis) {
  await redis.flushall();
  await redis.hset("h", "a", 1, "b", 2);
  assert.deepEqual(await redis.call("HEXPIRE", "h", 60, "FIELDS", 2, "a", "none"), [1, -2]);
  assert.deepEqual(await redis.call("HTTL", "h", "FIELDS", 2, "a", "b"), [60, -1]);
  assert.deepEqual(await redis.call("HPERSIST", "h", "FIELDS", 1, "a"), [1]);
  assert.deepEqual(await redis.call("HGETDEL", "h", "FIELDS", 1, "a"), ["1"]);
  assert.deepEqual(await redis.call("HSCAN", "h", 0, "NOVALUES"), ["0", ["b"]]);
  await redis.zadd("z", 1.5, "m");
  const [rank, score] = await redis.call("ZRANK", "z", "m", "WITHSCORE");
  assert.deepEqual([rank, Number(score)], [0, 1.5]);
}
