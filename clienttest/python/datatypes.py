"""Writes, a line each, what redis-py's commands for every data type are answered.
clienttest/types_test.go compares the lines of two servers."""

import os
import threading
import time

import redis

ADDRESS = dict(
    host=os.environ["TARGET_HOST"], port=int(os.environ["TARGET_PORT"]), password=os.environ["TARGET_PASSWORD"],
    decode_responses=True, socket_timeout=30,
)
R = redis.Redis(**ADDRESS)
BYTES = redis.Redis(**{**ADDRESS, "decode_responses": False})


def answer(name, *args, **kw):
    """A line about what came of a method."""
    try:
        got = getattr(R, name)(*args, **kw)
    except redis.RedisError as err:
        got = f"failed: {err}"
    if isinstance(got, set):
        got = sorted(got)
    return f"{name} {args} {kw}: {got!r}"


def say(name, *args, **kw):
    print(answer(name, *args, **kw))


def calls(text):
    """Runs a call a line: method and arguments, parted by blanks, numbers as such."""
    for line in text.strip().splitlines():
        name, *args = line.split()
        say(name, *[int(a) if a.lstrip("-").isdigit() else a for a in args])


def blocked(name, *args, then, **kw):
    """Runs a call that waits, and what ends it once it waits."""
    lines = []
    waiting = threading.Thread(target=lambda: lines.append(answer(name, *args, **kw)), daemon=True)
    waiting.start()
    deadline = time.monotonic() + 20
    while R.info("clients")["blocked_clients"] != 1:
        if time.monotonic() > deadline:
            raise TimeoutError("nobody waits")
    say(*then)
    waiting.join(20)
    print(*lines)


def strings():
    calls("""
        set s Hello
        append s World
        strlen s
        getrange s -3 -1
        setrange s 1 a
        getset s new
        mget s none
        incr n 41
        decr n 100
        incrbyfloat n 0.5
        lcs s s
        getdel s
        setbit b 7 1
        getbit b 7
        bitcount b 0 0
        bitpos b 1
        bitop NOT c b
        pfadd h a b c
        pfadd h2 c d
        pfcount h h2
        pfmerge m h h2
        pfcount m
        lpush l 1
        get l
    """)
    say("mset", {"a": 1, "b": "x"})
    say("msetnx", {"a": 1, "z": "x"})
    field = R.bitfield("f", default_overflow="FAIL").incrby("i5", 100, 1).get("u4", 0).set("u8", "#1", 200).incrby("u2", 8, 9)
    print("bitfield", field.execute())


def hashes():
    say("hset", "h", mapping={"a": 1, "b": "two", "c": 3.5})
    calls("""
        hset h d 4
        hsetnx h a no
        hget h a
        hget h none
        hmget h a none
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
        hscan one
        set s x
        hset s f 1
    """)
    say("hrandfield", "one", 5, withvalues=True)
    for i in range(600):
        R.hset("big", f"f{i}", i)
    print("hscan", sorted(R.hscan_iter("big", match="f1*", count=20)))


def lists():
    calls("""
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
        lpos l b
        lpos l b -1
        lpos l b 1 0
        lrem l -1 b
        ltrim l 1 -2
        lpop l
        rpop l 2
        rpop none 3
        rpush src 1 2 3
        rpoplpush src dst
        lmove src dst
        lrange dst 0 -1
        blpop src 1
    """)
    say("brpop", "none", 0.01)
    say("blmove", "none", "dst", 0.01)
    say("lmpop", 2, "none", "dst", direction="LEFT", count=5)
    say("blmpop", 0.01, 1, "none", direction="LEFT")


def sets():
    calls("""
        sadd n 3 1 2 2
        sadd w a b c
        sadd v b c d
        scard w
        sismember w a
        smembers n
        sinter w v
        sunion n w v
        sdiff w v
        sdiffstore diff w v
        sinterstore inter w v
        sunionstore union w v
        smembers union
        smove w v a
        srem v a b zzz
        spop diff 5
        spop none
        srandmember none -3
        sadd one x
        srandmember one
        srandmember one -3
        sscan one
        spop one
        exists one diff
    """)
    say("smismember", "w", ["a", "z"])
    say("sintercard", 2, ["w", "v"], limit=1)
    for i in range(600):
        R.sadd("big", f"m{i}")
    print("sscan", sorted(R.sscan_iter("big", match="m2*", count=20)))


def zsets():
    members = {"one": 1, "two": 2, "deux": 2, "minus": -1.5, "big": 3e20}
    say("zadd", "z", members)
    say("zadd", "z", {"one": 9}, nx=True)
    say("zadd", "z", {"one": 1.25}, xx=True, ch=True)
    say("zadd", "z", {"one": 1}, gt=True, ch=True)
    say("zadd", "z", {"one": 0.1}, incr=True)
    say("zadd", "z", {"none": 0.1}, xx=True, incr=True)
    say("zadd", "l", dict.fromkeys("abcd", 0))
    calls("""
        zincrby z 1 one
        zscore z one
        zscore z none
        zcard z
        zcount z (1 2
        zlexcount l - (c
        zrank z two
        zrevrank z none
        zrange z 0 -1
        zrangebylex l [b +
        zrevrangebylex l + [b
        zrangestore st z 0 1
        zrem z deux none
        zremrangebyrank st 0 0
        zremrangebyscore st -inf +inf
        zremrangebylex l [a (b
    """)
    say("zmscore", "z", ["one", "none", "big"])
    say("zrange", "z", 0, -1, withscores=True)
    say("zrange", "z", "(1", "+inf", byscore=True, offset=1, num=2)
    say("zrange", "l", "-", "[b", bylex=True)
    say("zrevrange", "z", 0, 1, withscores=True)
    say("zrangebyscore", "z", "-inf", "(3e20", start=1, num=2, withscores=True)
    say("zrevrangebyscore", "z", "+inf", 1, withscores=True)
    say("zadd", "a", {"x": 1, "y": 2})
    say("zadd", "b", {"y": 10, "z": 20})
    say("zunionstore", "u", {"a": 2, "b": 0.5}, aggregate="SUM")
    say("zinterstore", "i", ["a", "b"], aggregate="MAX")
    say("zdiffstore", "d", ["a", "b"])
    for name in ("zunion", "zinter", "zdiff"):
        say(name, ["a", "b"], withscores=True)
    say("zintercard", 2, ["a", "b"])
    calls("""
        zpopmin z
        zpopmax z 2
        zpopmax none
        bzpopmin u 1
        set s 1
    """)
    say("zmpop", 2, ["none", "l"], max=True, count=2)
    say("bzmpop", 1, 1, ["u"], min=True, count=9)
    say("zadd", "z1", {"m": 1})
    say("zrandmember", "z1")
    say("zrandmember", "z1", -2, withscores=True)
    say("zadd", "s", members)
    for i in range(300):
        R.zadd("many", {f"m{i}": i / 4})
    print("zscan", sorted(R.zscan_iter("many", match="m1*", count=20)))


def streams():
    for entry in ("1-1", "1-2", "2-0", "2-0", "3-0"):
        say("xadd", "x", {"n": entry, "more": "v"}, id=entry)
    say("xadd", "none", {"k": "v"}, nomkstream=True)
    say("xadd", "x", {"k": "v"}, id="4-0", maxlen=100, approximate=True)
    say("xrange", "x", count=2)
    say("xrevrange", "x", "+", "(1-1")
    say("xread", {"x": "1-1", "none": "0"}, count=2)
    say("xread", {"none": "0"})
    say("xdel", "x", "1-1", "9-9")
    say("xtrim", "x", maxlen=3, approximate=False)
    say("xtrim", "x", minid="2-0", approximate=False)
    say("xgroup_create", "x", "g", "0")
    say("xgroup_create", "x", "g", "0")
    say("xgroup_create", "new", "g", mkstream=True)
    say("xgroup_createconsumer", "x", "g", "bob")
    say("xreadgroup", "g", "alice", {"x": ">"}, count=1)
    say("xreadgroup", "g", "bob", {"x": ">"})
    say("xreadgroup", "g", "bob", {"x": "0"})
    say("xack", "x", "g", "2-0", "9-9")
    say("xpending", "x", "g")
    say("xpending", "new", "g")
    pending = R.xpending_range("x", "g", "-", "+", 10)
    print([(p["message_id"], p["consumer"], p["times_delivered"]) for p in pending])
    say("xclaim", "x", "g", "carol", 0, ["3-0"])
    say("xclaim", "x", "g", "carol", 0, ["3-0"], justid=True)
    say("xautoclaim", "x", "g", "dave", 0)
    say("xautoclaim", "x", "g", "dave", 0, justid=True)
    say("xinfo_groups", "x")
    say("xinfo_stream", "x")
    say("xgroup_setid", "x", "g", "0")
    say("xgroup_delconsumer", "x", "g", "dave")
    say("xgroup_destroy", "x", "g")
    say("xlen", "x")


def geo():
    say("geoadd", "g", [13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"])
    say("geodist", "g", "Palermo", "Catania", "km")
    say("geohash", "g", "Palermo", "none")
    say("geopos", "g", "Palermo", "none")
    say("geosearch", "g", longitude=15, latitude=37, radius=200, unit="km", sort="ASC")
    say("geosearch", "g", member="Palermo", width=500, height=300, unit="km", withdist=True, withcoord=True, withhash=True, sort="DESC", count=1)
    say("geosearchstore", "out", "g", longitude=15, latitude=37, radius=200, unit="km")
    say("georadius", "g", 15, 37, 200, unit="km", withdist=True, sort="ASC")
    say("georadiusbymember", "g", "Catania", 200, unit="km")


def keys():
    calls("""
        rpush l 3 1 2
        set w1 30
        set w2 20
        set w3 10
        hset o2 name two
        sort l
        sadd set 1 2
        hset h f v
    """)
    say("sort", "l", by="w*", get=["#", "w*", "o*->name"], desc=True, start=0, num=2, groups=True)
    say("sort", "l", store="sorted")
    say("zadd", "z", {"m": 1})
    say("xadd", "x", {"k": "v"}, id="1-1")
    for key in ("w1", "l", "z", "set", "x", "h"):
        dump = BYTES.dump(key)
        print(key, BYTES.restore(key + "2", 3_600_000, dump), BYTES.restore(key, 0, dump, replace=True))
        say("type", key + "2")
        say("copy", key, key + "3")
        say("renamenx", key + "3", key + "2")
        say("move", key + "3", 5)
        say("expire", key, 100, nx=True)
        say("persist", key)
        say("ttl", key)
        say("touch", key, "none")
    say("restore", "bad", 0, "nonsense")
    calls("""
        lrange l2 0 -1
        hgetall h2
        smembers set2
        xrange x2
        rename none x
    """)
    print(sorted(R.scan_iter(match="*2", count=3)), sorted(R.scan_iter(_type="zset")))


def waits():
    blocked("blpop", ["p", "q"], 20, then=("rpush", "q", "x", "y"))
    blocked("brpop", "w", 0, then=("rpush", "w", 1, 2))
    blocked("blmove", "from", "to", 20, then=("lpush", "from", "x"))
    blocked("blmpop", 20, 1, "from", direction="RIGHT", count=2, then=("rpush", "from", 1, 2, 3))
    blocked("bzpopmin", ["z1", "z2"], 20, then=("zadd", "z2", {"m": 1.5}))
    blocked("bzmpop", 20, 1, ["z1"], max=True, count=9, then=("zadd", "z1", {"a": 1, "b": 2}))
    blocked("xread", {"x": "$"}, block=20_000, then=("xadd", "x", {"k": "v"}, "1-1"))


def transactions():
    with R.pipeline() as pipe:
        pipe.set("n", 1).incr("n").lpush("n", "x").hset("h", "f", "v").hgetall("h").zadd("z", {"m": 1}).zrange("z", 0, -1, withscores=True).blpop("none", 1)
        print(pipe.execute(raise_on_error=False))
        pipe.watch("n")
        R.incr("n")
        pipe.multi()
        pipe.set("n", 100)
        try:
            pipe.execute()
        except redis.WatchError as err:
            print("watch", err)
    print(R.transaction(lambda p: (p.get("n"), p.multi(), p.incr("n")), "n"))


def newer():
    """What redis-server 7.0 has not, and redis-py 4.3 no methods for."""
    R.hset("fields", mapping={"a": 1, "b": 2})
    assert R.execute_command("HEXPIRE", "fields", 60, "FIELDS", 2, "a", "none") == [1, -2]
    assert R.execute_command("HTTL", "fields", "FIELDS", 2, "a", "b") == [60, -1]
    assert R.execute_command("HPERSIST", "fields", "FIELDS", 1, "a") == [1]
    assert R.execute_command("HGETDEL", "fields", "FIELDS", 1, "a") == ["1"]


for part in (strings, hashes, lists, sets, zsets, streams, geo, keys, waits, transactions):
    R.flushall()
    part()
if os.environ.get("TARGET_NEWER") == "yes":
    newer()
print("done")
