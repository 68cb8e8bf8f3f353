//nolint:staticcheck // the commands that go-redis calls deprecated have to be answered all the same
package clienttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func goRedisStrings(ctx context.Context, s *script) {
	s.say(
		s.Set(ctx, "s", "Hello", 0), s.Append(ctx, "s", " World"), s.StrLen(ctx, "s"), s.GetRange(ctx, "s", -5, -1),
		s.SetRange(ctx, "s", 6, "Redis"), s.Get(ctx, "s"), s.GetSet(ctx, "s", "new"), s.SetNX(ctx, "s", "x", 0), s.SetXX(ctx, "s", "y", 0),
		s.MSetNX(ctx, "s", 1, "t", 2), s.MSetNX(ctx, "u", 1, "v", 2), s.MGet(ctx, "u", "v", "none"),
		s.Incr(ctx, "n"), s.IncrBy(ctx, "n", 41), s.Decr(ctx, "n"), s.DecrBy(ctx, "n", 100), s.IncrByFloat(ctx, "f", 3.0e3), s.IncrByFloat(ctx, "f", -0.1),
		s.LCS(ctx, &redis.LCSQuery{Key1: "s", Key2: "u"}), s.LCS(ctx, &redis.LCSQuery{Key1: "s", Key2: "u", Len: true}),
		s.LCS(ctx, &redis.LCSQuery{Key1: "s", Key2: "s", Idx: true, WithMatchLen: true}),
		s.GetDel(ctx, "s"), s.GetDel(ctx, "s"), s.LPush(ctx, "l", 1), s.Incr(ctx, "l"), s.Append(ctx, "l", "x"),
	)
}

func goRedisHashes(ctx context.Context, s *script) {
	s.say(
		s.HSet(ctx, "h", "a", "1", "b", "two", "c", 3.5), s.HSet(ctx, "h", map[string]any{"a": 9}), s.HMSet(ctx, "h", "d", "4"), s.HSetNX(ctx, "h", "a", "no"),
		s.HSetNX(ctx, "h", "e", "yes"), s.HGet(ctx, "h", "a"), s.HGet(ctx, "h", "none"), s.HMGet(ctx, "h", "a", "none", "c"), s.HGetAll(ctx, "h"), s.HKeys(ctx, "h"),
		s.HVals(ctx, "h"), s.HLen(ctx, "h"), s.HExists(ctx, "h", "a"), s.HExists(ctx, "h", "z"), s.HStrLen(ctx, "h", "b"), s.HIncrBy(ctx, "h", "a", -10),
		s.HIncrByFloat(ctx, "h", "c", 0.25), s.HIncrBy(ctx, "h", "b", 1), s.HIncrByFloat(ctx, "h", "b", 1), s.HDel(ctx, "h", "a", "none"),
		s.HGetAll(ctx, "none"), s.HLen(ctx, "none"), s.HSet(ctx, "one", "f", "v"), s.HRandField(ctx, "one", -2), s.HRandFieldWithValues(ctx, "one", 5),
		s.HRandField(ctx, "none", 1), s.ObjectEncoding(ctx, "h"),
	)
	s.sorted(s.HRandField(ctx, "h", 10))
	for i := range 600 {
		s.HSet(ctx, "big", fmt.Sprintf("f%d", i), i)
	}
	s.scanned("hscan", s.HScan(ctx, "big", 0, "f1*", 20))
	s.say(s.HLen(ctx, "big"), s.ObjectEncoding(ctx, "big"), s.Set(ctx, "s", "x", 0), s.HGet(ctx, "s", "f"), s.HSet(ctx, "s", "f", 1))
	var to struct {
		A string  `redis:"b"`
		C float64 `redis:"c"`
	}
	s.lines = append(s.lines, fmt.Sprint(s.HGetAll(ctx, "h").Scan(&to), to))
}

func goRedisLists(ctx context.Context, s *script) {
	s.say(
		s.RPush(ctx, "l", "a", "b", "c", "b"), s.LPush(ctx, "l", "z", "y"), s.LPushX(ctx, "none", 1), s.RPushX(ctx, "l", "end"), s.LRange(ctx, "l", 0, -1),
		s.LRange(ctx, "l", 5, 1), s.LLen(ctx, "l"), s.LIndex(ctx, "l", -1), s.LIndex(ctx, "l", 99), s.LSet(ctx, "l", 0, "first"), s.LSet(ctx, "l", 99, "x"),
		s.LSet(ctx, "none", 0, "x"), s.LInsertBefore(ctx, "l", "a", "before"), s.LInsertAfter(ctx, "l", "a", "after"), s.LInsertAfter(ctx, "l", "none", "x"),
		s.LPos(ctx, "l", "b", redis.LPosArgs{}), s.LPos(ctx, "l", "b", redis.LPosArgs{Rank: -1, MaxLen: 5}), s.LPos(ctx, "l", "none", redis.LPosArgs{}),
		s.LPosCount(ctx, "l", "b", 0, redis.LPosArgs{}), s.LRem(ctx, "l", -1, "b"), s.LTrim(ctx, "l", 1, -2), s.LRange(ctx, "l", 0, -1),
		s.LPop(ctx, "l"), s.RPop(ctx, "l"), s.LPopCount(ctx, "l", 2), s.RPopCount(ctx, "l", 0), s.RPopCount(ctx, "none", 3), s.LPop(ctx, "none"),
		s.RPush(ctx, "src", 1, 2, 3), s.RPopLPush(ctx, "src", "dst"), s.LMove(ctx, "src", "dst", "LEFT", "RIGHT"), s.LMove(ctx, "none", "dst", "LEFT", "LEFT"),
		s.LRange(ctx, "dst", 0, -1), s.LMPop(ctx, "left", 5, "none", "dst"), s.LMPop(ctx, "right", 1, "none"), s.Exists(ctx, "dst"),
		s.Set(ctx, "s", "x", 0), s.LPush(ctx, "s", 1), s.LRange(ctx, "s", 0, -1), s.ObjectEncoding(ctx, "src"),
	)
}

func goRedisBlocking(ctx context.Context, s *script) {
	const wait = patience
	s.say(
		s.RPush(ctx, "l", 1, 2, 3, 4), s.BLPop(ctx, wait, "none", "l"), s.BRPop(ctx, wait, "l"), s.BRPopLPush(ctx, "l", "m", wait), s.BLMove(ctx, "l", "m", "LEFT", "LEFT", wait),
		s.BLMPop(ctx, wait, "left", 10, "m"), s.ZAdd(ctx, "z", redis.Z{Score: 1, Member: "a"}, redis.Z{Score: 2, Member: "b"}, redis.Z{Score: 3, Member: "c"}),
		s.BZPopMin(ctx, wait, "none", "z"), s.BZPopMax(ctx, wait, "z"), s.BZMPop(ctx, wait, "min", 5, "z"),
		s.Do(ctx, "blpop", "none", 0.01), s.Do(ctx, "bzpopmin", "none", 0.01), s.Do(ctx, "blmove", "none", "m", "left", "left", 0.01), s.Do(ctx, "blpop", "none", -1),
		s.XRead(ctx, &redis.XReadArgs{Streams: []string{"none", "$"}, Block: time.Millisecond}),
	)
	s.blocked(func() redis.Cmder { return s.BLPop(ctx, wait, "p", "q") }, func() { s.say(s.RPush(ctx, "q", "x", "y")) })
	s.blocked(func() redis.Cmder { return s.BRPop(ctx, 0, "w") }, func() { s.say(s.RPush(ctx, "w", "1", "2")) })
	s.blocked(func() redis.Cmder { return s.BLMove(ctx, "from", "to", "LEFT", "RIGHT", wait) }, func() { s.say(s.LPush(ctx, "from", "x")) })
	s.blocked(func() redis.Cmder { return s.BLMPop(ctx, wait, "right", 2, "from") }, func() { s.say(s.RPush(ctx, "from", 1, 2, 3)) })
	s.blocked(func() redis.Cmder { return s.BZPopMin(ctx, wait, "z1", "z2") }, func() { s.say(s.ZAdd(ctx, "z2", redis.Z{Score: 1.5, Member: "m"})) })
	s.blocked(func() redis.Cmder { return s.BZMPop(ctx, wait, "max", 9, "z1") }, func() {
		s.say(s.ZAdd(ctx, "z1", redis.Z{Score: 1, Member: "a"}, redis.Z{Score: 2, Member: "b"}))
	})
	s.blocked(func() redis.Cmder { return s.XRead(ctx, &redis.XReadArgs{Streams: []string{"x", "$"}, Block: wait}) }, func() {
		s.say(s.XAdd(ctx, &redis.XAddArgs{Stream: "x", ID: "1-1", Values: []any{"k", "v"}}))
	})
	s.blocked(func() redis.Cmder { return s.BLPop(ctx, wait, "gone") }, func() {
		id := strings.Split(strings.SplitAfter(s.admin.ClientList(ctx).Val(), " cmd=blpop")[0], "\n")
		s.lines = append(s.lines, fmt.Sprint(s.admin.ClientUnblock(ctx, clientID(id[len(id)-1])).Val()))
	})
	s.say(s.LRange(ctx, "to", 0, -1), s.LRange(ctx, "q", 0, -1), s.LRange(ctx, "from", 0, -1))
}

// clientID is the id in a line of CLIENT LIST.
func clientID(line string) (id int64) {
	if _, err := fmt.Sscanf(line, "id=%d ", &id); err != nil {
		panic(err)
	}
	return id
}

func goRedisSets(ctx context.Context, s *script) {
	s.say(
		s.SAdd(ctx, "n", 3, 1, 2, 2), s.SAdd(ctx, "w", "a", "b", "c"), s.SAdd(ctx, "v", "b", "c", "d"), s.SCard(ctx, "w"), s.SIsMember(ctx, "w", "a"), s.SIsMember(ctx, "none", "a"),
		s.SMIsMember(ctx, "w", "a", "z"), s.SMembers(ctx, "n"), s.SMembersMap(ctx, "w"), s.SInter(ctx, "n", "none"), s.SInterCard(ctx, 0, "w", "v"), s.SInterCard(ctx, 1, "w", "v"),
		s.SDiffStore(ctx, "diff", "w", "v"), s.SInterStore(ctx, "inter", "w", "v"), s.SUnionStore(ctx, "union", "w", "v"), s.SInterStore(ctx, "inter2", "w", "none"),
		s.SMove(ctx, "w", "v", "a"), s.SMove(ctx, "w", "v", "zzz"), s.SRem(ctx, "v", "a", "b", "zzz"), s.SPopN(ctx, "diff", 5), s.SPop(ctx, "none"), s.SPopN(ctx, "none", 1),
		s.SRandMember(ctx, "none"), s.SRandMemberN(ctx, "none", -3), s.SAdd(ctx, "one", "x"), s.SRandMember(ctx, "one"), s.SRandMemberN(ctx, "one", -3), s.SPop(ctx, "one"),
		s.Exists(ctx, "one", "diff"), s.ObjectEncoding(ctx, "n"), s.Set(ctx, "s", 1, 0), s.SAdd(ctx, "s", 1), s.SUnion(ctx, "w", "s"),
	)
	s.sorted(s.SMembers(ctx, "union"), s.SDiff(ctx, "union", "w"), s.SInter(ctx, "union", "v"), s.SUnion(ctx, "n", "w", "v"), s.SRandMemberN(ctx, "union", 100))
	for i := range 600 {
		s.SAdd(ctx, "big", fmt.Sprintf("m%d", i))
	}
	s.scanned("sscan", s.SScan(ctx, "big", 0, "m2*", 20))
	s.say(s.SCard(ctx, "big"), s.ObjectEncoding(ctx, "big"))
}

func goRedisZSets(ctx context.Context, s *script) {
	zs := []redis.Z{{Score: 1, Member: "one"}, {Score: 2, Member: "two"}, {Score: 2, Member: "deux"}, {Score: -1.5, Member: "minus"}, {Score: 3e20, Member: "big"}}
	lex := []redis.Z{{Member: "a"}, {Member: "b"}, {Member: "c"}, {Member: "d"}}
	between := &redis.ZRangeBy{Min: "-inf", Max: "(3e20", Offset: 1, Count: 2}
	words := &redis.ZRangeBy{Min: "[b", Max: "+"}
	s.say(
		s.ZAdd(ctx, "z", zs...), s.ZAddNX(ctx, "z", redis.Z{Score: 9, Member: "one"}), s.ZAddXX(ctx, "z", redis.Z{Score: 1.25, Member: "one"}), s.ZAddGT(ctx, "z", zs[0]), s.ZAddLT(ctx, "z", zs[0]),
		s.ZAddArgs(ctx, "z", redis.ZAddArgs{Ch: true, Members: zs}), s.ZAddArgsIncr(ctx, "z", redis.ZAddArgs{XX: true, Members: []redis.Z{{Score: 0.1, Member: "none"}}}), s.ZAdd(ctx, "l", lex...),
		s.ZIncrBy(ctx, "z", 0.1, "one"), s.ZScore(ctx, "z", "one"), s.ZScore(ctx, "z", "none"), s.ZMScore(ctx, "z", "one", "none", "big"), s.ZCard(ctx, "z"), s.ZCount(ctx, "z", "(1", "2"),
		s.ZLexCount(ctx, "l", "-", "(c"), s.ZRank(ctx, "z", "two"), s.ZRank(ctx, "z", "none"), s.ZRevRank(ctx, "z", "two"), s.ZRange(ctx, "z", 0, -1), s.ZRangeWithScores(ctx, "z", 0, -1),
		s.ZRevRange(ctx, "z", 0, 1), s.ZRevRangeWithScores(ctx, "z", 0, 1), s.ZRangeByScore(ctx, "z", between), s.ZRangeByScoreWithScores(ctx, "z", between), s.ZRevRangeByScore(ctx, "z", between),
		s.ZRevRangeByScoreWithScores(ctx, "z", between), s.ZRangeByLex(ctx, "l", words), s.ZRevRangeByLex(ctx, "l", words),
		s.ZRangeArgs(ctx, redis.ZRangeArgs{Key: "z", Start: "(1", Stop: "+inf", ByScore: true, Rev: true, Offset: 1, Count: 2}), s.ZRangeArgs(ctx, redis.ZRangeArgs{Key: "l", Start: "-", Stop: "[b", ByLex: true}),
		s.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{Key: "z", Start: 0, Stop: -2, Rev: true}), s.ZRangeStore(ctx, "st", redis.ZRangeArgs{Key: "z", Start: 0, Stop: 1}),
		s.ZRem(ctx, "z", "deux", "none"), s.ZRemRangeByRank(ctx, "st", 0, 0), s.ZRemRangeByScore(ctx, "st", "-inf", "+inf"), s.ZRemRangeByLex(ctx, "l", "[a", "(b"), s.Exists(ctx, "st"),
		s.ZPopMin(ctx, "z"), s.ZPopMax(ctx, "z", 1), s.ZPopMin(ctx, "z", 99), s.ZPopMax(ctx, "none"), s.ZMPop(ctx, "max", 2, "none", "l"), s.ZMPop(ctx, "min", 1, "none"),
		s.ZAdd(ctx, "z1", redis.Z{Score: 1, Member: "m"}), s.ZRandMember(ctx, "z1", -2), s.ZRandMemberWithScores(ctx, "z1", 5), s.ZRandMember(ctx, "none", 3), s.ObjectEncoding(ctx, "z1"),
		s.Set(ctx, "s", 1, 0), s.ZAdd(ctx, "s", zs...), s.ZRange(ctx, "s", 0, -1), s.ZAddArgs(ctx, "z", redis.ZAddArgs{NX: true, GT: true, Members: zs}), s.ZRangeByLex(ctx, "l", &redis.ZRangeBy{Min: "a", Max: "b"}),
	)
	for i := range 300 {
		s.ZAdd(ctx, "many", redis.Z{Score: float64(i) / 3, Member: fmt.Sprintf("m%d", i)})
	}
	s.scanned("zscan", s.ZScan(ctx, "many", 0, "m1*", 20))
	s.say(s.ObjectEncoding(ctx, "many"), s.ZRangeWithScores(ctx, "many", 100, 110), s.ZRevRank(ctx, "many", "m7"))
}

func goRedisZSetStores(ctx context.Context, s *script) {
	two := func(aggregate string) *redis.ZStore {
		return &redis.ZStore{Keys: []string{"a", "b"}, Weights: []float64{2, 0.5}, Aggregate: aggregate}
	}
	s.say(
		s.ZAdd(ctx, "a", redis.Z{Score: 1, Member: "x"}, redis.Z{Score: 2, Member: "y"}), s.ZAdd(ctx, "b", redis.Z{Score: 10, Member: "y"}, redis.Z{Score: 20, Member: "z"}),
		s.ZUnionStore(ctx, "u", two("SUM")), s.ZInterStore(ctx, "i", two("MAX")), s.ZDiffStore(ctx, "d", "a", "b"), s.ZUnion(ctx, *two("MIN")), s.ZUnionWithScores(ctx, *two("")),
		s.ZInter(ctx, two("")), s.ZInterWithScores(ctx, two("MIN")), s.ZInterCard(ctx, 0, "a", "b"), s.ZDiff(ctx, "a", "b"), s.ZDiffWithScores(ctx, "b", "a"),
		s.ZRangeWithScores(ctx, "u", 0, -1), s.ZRangeWithScores(ctx, "i", 0, -1), s.ZRangeWithScores(ctx, "d", 0, -1), s.SAdd(ctx, "set", "y"), s.ZUnionWithScores(ctx, redis.ZStore{Keys: []string{"a", "set"}}),
		s.Set(ctx, "s", 1, 0), s.ZUnion(ctx, redis.ZStore{Keys: []string{"a", "s"}}), s.ZInterStore(ctx, "i", &redis.ZStore{Keys: []string{"a", "none"}}), s.Exists(ctx, "i"),
	)
}

// goRedisNewer runs what redis-server 7.0 has not.
func goRedisNewer(t *testing.T, srv *server, protocol int) {
	ctx := t.Context()
	c := redis.NewClient(&redis.Options{Addr: srv.Addr(), Password: password, Protocol: protocol})
	defer c.Close()
	require.NoError(t, c.FlushAll(ctx).Err())
	at := time.Now().Add(time.Hour).Truncate(time.Second)
	require.NoError(t, c.HSet(ctx, "h", "a", 1, "b", 2, "c", 3).Err())
	require.Equal(t, []int64{1, -2}, c.HExpire(ctx, "h", time.Minute, "a", "none").Val())
	require.Equal(t, []int64{0}, c.HExpireWithArgs(ctx, "h", time.Minute, redis.HExpireArgs{NX: true}, "a").Val())
	require.Equal(t, []int64{1}, c.HPExpire(ctx, "h", 500*time.Second, "b").Val())
	require.Equal(t, []int64{1}, c.HPExpireWithArgs(ctx, "h", time.Hour, redis.HExpireArgs{GT: true}, "b").Val())
	require.Equal(t, []int64{1}, c.HExpireAt(ctx, "h", at, "a").Val())
	require.Equal(t, []int64{1}, c.HPExpireAt(ctx, "h", at, "b").Val())
	require.Equal(t, []int64{at.Unix(), at.Unix(), -1, -2}, c.HExpireTime(ctx, "h", "a", "b", "c", "none").Val())
	require.Equal(t, []int64{at.UnixMilli()}, c.HPExpireTime(ctx, "h", "a").Val())
	require.InDelta(t, 3600, c.HTTL(ctx, "h", "a").Val()[0], patience.Seconds())
	require.InDelta(t, 3.6e6, c.HPTTL(ctx, "h", "a").Val()[0], float64(patience.Milliseconds()))
	require.Equal(t, []int64{1, -1}, c.HPersist(ctx, "h", "a", "c").Val())
	require.Equal(t, []int64{2}, c.HExpire(ctx, "h", 0, "a").Val())
	require.Equal(t, []string{"b", "c"}, c.HKeys(ctx, "h").Val())
	require.Equal(t, []string{"2"}, c.HGetEXWithArgs(ctx, "h", &redis.HGetEXOptions{ExpirationType: redis.HGetEXExpirationPERSIST}, "b").Val())
	require.Equal(t, int64(1), c.HSetEXWithArgs(ctx, "h", &redis.HSetEXOptions{ExpirationType: redis.HSetEXExpirationPX, ExpirationVal: 20}, "soon", "gone").Val())
	eventually(t, func() bool { return c.HLen(ctx, "h").Val() == 2 }, "the field stays")
	require.Equal(t, []string{"3"}, c.HGetDel(ctx, "h", "c").Val())
	var fields []string
	it := c.HScanNoValues(ctx, "h", 0, "*", 10).Iterator()
	for it.Next(ctx) {
		fields = append(fields, it.Val())
	}
	require.Equal(t, []string{"b"}, fields)

	require.NoError(t, c.ZAdd(ctx, "z", redis.Z{Score: 1.5, Member: "m"}).Err())
	require.Equal(t, redis.RankScore{Rank: 0, Score: 1.5}, c.ZRankWithScore(ctx, "z", "m").Val())
	require.Equal(t, redis.RankScore{Rank: 0, Score: 1.5}, c.ZRevRankWithScore(ctx, "z", "m").Val())
	require.True(t, errors.Is(c.ZRankWithScore(ctx, "z", "none").Err(), redis.Nil))
	require.NoError(t, c.SAdd(ctx, "s", "a", "b").Err())
	require.Equal(t, "listpack", c.ObjectEncoding(ctx, "s").Val())
	require.Equal(t, []string{"a", "b"}, slices.Sorted(slices.Values(c.SMembers(ctx, "s").Val())))
}
