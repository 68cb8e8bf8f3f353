//nolint:staticcheck // the commands that go-redis calls deprecated have to be answered all the same
package clienttest

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

func goRedisStreams(ctx context.Context, s *script) {
	add := func(id string, more ...any) *redis.StringCmd {
		return s.XAdd(ctx, &redis.XAddArgs{Stream: "x", ID: id, Values: append([]any{"n", id}, more...)})
	}
	s.say(
		add("1-1"), add("1-2", "more", "fields"), add("2"), add("2"), add("0-0"), add("3-*"), add("4-0"), add("5-0"),
		s.XAdd(ctx, &redis.XAddArgs{Stream: "none", NoMkStream: true, Values: []any{"k", "v"}}), s.XAdd(ctx, &redis.XAddArgs{Stream: "x", ID: "6-0", MaxLen: 6, Values: []any{"k", "v"}}),
		s.XAdd(ctx, &redis.XAddArgs{Stream: "x", ID: "7-0", MinID: "1-2", Values: []any{"k", "v"}}), s.XAdd(ctx, &redis.XAddArgs{Stream: "x", ID: "8-0", MaxLen: 1, Approx: true, Limit: 5, Values: []any{"k", "v"}}),
		s.XLen(ctx, "x"), s.XRange(ctx, "x", "-", "+"), s.XRange(ctx, "x", "(2", "5"), s.XRangeN(ctx, "x", "-", "+", 2), s.XRevRange(ctx, "x", "+", "-"), s.XRevRangeN(ctx, "x", "5", "-", 1),
		s.XRange(ctx, "none", "-", "+"), s.XRange(ctx, "x", "bad", "+"), s.XRead(ctx, &redis.XReadArgs{Streams: []string{"x", "none", "4", "0"}, Count: 2}), s.XReadStreams(ctx, "none", "0"),
		s.XDel(ctx, "x", "4-0", "99-0"), s.XTrimMaxLen(ctx, "x", 4), s.XTrimMaxLenApprox(ctx, "x", 1, 10), s.XTrimMinID(ctx, "x", "6"), s.XTrimMinIDApprox(ctx, "x", "7", 100),
		s.Do(ctx, "xsetid", "x", "20-0", "ENTRIESADDED", "30", "MAXDELETEDID", "4-0"), s.Do(ctx, "xsetid", "x", "5-0"), s.ObjectEncoding(ctx, "x"), s.Type(ctx, "x"), s.Set(ctx, "s", 1, 0),
		s.XAdd(ctx, &redis.XAddArgs{Stream: "s", Values: []any{"k", "v"}}), s.XLen(ctx, "s"), s.XLen(ctx, "none"),
	)
	info, err := s.XInfoStream(ctx, "x").Result()
	s.lines = append(s.lines, fmt.Sprintf("xinfo stream %+v %v", info, err))
}

func goRedisGroups(ctx context.Context, s *script) {
	for i := range 6 {
		s.say(s.XAdd(ctx, &redis.XAddArgs{Stream: "x", ID: fmt.Sprintf("%d-0", i+1), Values: []any{"i", i}}))
	}
	read := func(consumer, id string, count int64, noAck bool) *redis.XStreamSliceCmd {
		return s.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: consumer, Streams: []string{"x", id}, Count: count, Block: -1, NoAck: noAck})
	}
	s.say(
		s.XGroupCreate(ctx, "x", "g", "0"), s.XGroupCreate(ctx, "x", "g", "0"), s.XGroupCreate(ctx, "none", "g", "0"), s.XGroupCreateMkStream(ctx, "new", "g", "$"),
		s.XGroupCreateConsumer(ctx, "x", "g", "bob"), s.XGroupCreateConsumer(ctx, "x", "g", "bob"), read("alice", ">", 2, false), read("bob", ">", 2, false), read("bob", ">", 1, true),
		read("alice", "0", 10, false), s.XAck(ctx, "x", "g", "1-0", "99-0"), s.XPending(ctx, "x", "g"), s.XPending(ctx, "new", "g"), s.XPending(ctx, "x", "none"), s.XDel(ctx, "x", "4-0"),
	)
	pending := func(a *redis.XPendingExtArgs) {
		got, err := s.XPendingExt(ctx, a).Result()
		for i := range got {
			got[i].Idle = 0
		}
		s.lines = append(s.lines, fmt.Sprint(got, err))
	}
	pending(&redis.XPendingExtArgs{Stream: "x", Group: "g", Start: "-", End: "+", Count: 10})
	pending(&redis.XPendingExtArgs{Stream: "x", Group: "g", Start: "(2-0", End: "+", Count: 1, Consumer: "bob"})
	pending(&redis.XPendingExtArgs{Stream: "x", Group: "g", Idle: time.Hour, Start: "-", End: "+", Count: 10})
	claim := &redis.XClaimArgs{Stream: "x", Group: "g", Consumer: "carol", Messages: []string{"2-0", "3-0", "99-0"}}
	auto := &redis.XAutoClaimArgs{Stream: "x", Group: "g", Consumer: "dave", Start: "0", Count: 2}
	s.say(
		s.XClaim(ctx, claim), s.XClaimJustID(ctx, claim), s.XAutoClaim(ctx, auto), s.XAutoClaimJustID(ctx, auto), s.XAutoClaim(ctx, &redis.XAutoClaimArgs{Stream: "x", Group: "g", Consumer: "dave", MinIdle: time.Hour, Start: "-"}),
		s.XGroupSetID(ctx, "x", "g", "5-0"), read("alice", ">", 5, false), read("alice", ">", 5, false), s.XGroupDelConsumer(ctx, "x", "g", "alice"), s.XGroupDelConsumer(ctx, "x", "g", "nobody"),
		s.XInfoGroups(ctx, "x"), s.XInfoGroups(ctx, "none"), s.XInfoGroups(ctx, "new"),
	)
	consumers, err := s.XInfoConsumers(ctx, "x", "g").Result()
	for i := range consumers {
		consumers[i].Idle, consumers[i].Inactive = 0, 0
	}
	s.lines = append(s.lines, fmt.Sprint(consumers, err))
	full, err := s.XInfoStreamFull(ctx, "x", 3).Result()
	if err == nil {
		full.RadixTreeKeys, full.RadixTreeNodes = 0, 0
		for i := range full.Groups {
			for j := range full.Groups[i].Pending {
				full.Groups[i].Pending[j].DeliveryTime = time.Time{}
			}
			for j := range full.Groups[i].Consumers {
				c := &full.Groups[i].Consumers[j]
				c.SeenTime, c.ActiveTime = time.Time{}, time.Time{}
				for k := range c.Pending {
					c.Pending[k].DeliveryTime = time.Time{}
				}
			}
		}
	}
	s.lines = append(s.lines, fmt.Sprintf("xinfo stream full %+v %v", full, err))
	s.blocked(func() redis.Cmder {
		return s.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: "bob", Streams: []string{"x", ">"}, Block: patience})
	}, func() { s.say(s.XAdd(ctx, &redis.XAddArgs{Stream: "x", ID: "50-0", Values: []any{"late", "one"}})) })
	s.blocked(func() redis.Cmder {
		return s.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: "bob", Streams: []string{"x", ">"}, Block: patience})
	}, func() { s.say(s.XGroupDestroy(ctx, "x", "g")) })
	s.say(s.XGroupDestroy(ctx, "x", "g"), s.XInfoGroups(ctx, "x"))
}

func goRedisBits(ctx context.Context, s *script) {
	s.say(
		s.SetBit(ctx, "b", 7, 1), s.SetBit(ctx, "b", 7, 1), s.SetBit(ctx, "b", 100, 1), s.GetBit(ctx, "b", 100), s.GetBit(ctx, "b", 9999), s.BitCount(ctx, "b", nil),
		s.BitCount(ctx, "b", &redis.BitCount{Start: 0, End: 0}), s.BitCount(ctx, "b", &redis.BitCount{Start: 5, End: -1, Unit: "BIT"}), s.BitPos(ctx, "b", 1), s.BitPos(ctx, "b", 0, 1), s.BitPos(ctx, "b", 1, 1, -1),
		s.BitPosSpan(ctx, "b", 1, 8, -1, "BIT"), s.Set(ctx, "c", "\xf0\x0f", 0), s.BitOpAnd(ctx, "and", "b", "c"), s.BitOpOr(ctx, "or", "b", "c"), s.BitOpXor(ctx, "xor", "b", "c"), s.BitOpNot(ctx, "not", "c"),
		s.Get(ctx, "or"), s.Get(ctx, "not"), s.BitField(ctx, "f", "INCRBY", "i5", "100", "1", "GET", "u4", "0"), s.BitField(ctx, "f", "OVERFLOW", "SAT", "SET", "u8", "#1", "300", "OVERFLOW", "FAIL", "INCRBY", "u2", "8", "9"),
		s.BitFieldRO(ctx, "f", "GET", "u8", "8"), s.BitField(ctx, "f", "GET", "u64", "0"), s.SetBit(ctx, "b", -1, 1),
		s.PFAdd(ctx, "h", "a", "b", "c"), s.PFAdd(ctx, "h", "a"), s.PFAdd(ctx, "g", "c", "d"), s.PFCount(ctx, "h"), s.PFCount(ctx, "h", "g", "none"), s.PFMerge(ctx, "m", "h", "g"), s.PFCount(ctx, "m"), s.Get(ctx, "m"),
		s.PFAdd(ctx, "c", "x"), s.LPush(ctx, "l", 1), s.PFCount(ctx, "l"), s.BitCount(ctx, "l", nil),
	)
	for i := range 5000 {
		s.PFAdd(ctx, "many", i)
	}
	s.say(s.PFCount(ctx, "many"), s.StrLen(ctx, "many"), s.Get(ctx, "many"))
}

func goRedisGeo(ctx context.Context, s *script) {
	search := redis.GeoSearchQuery{Longitude: 15, Latitude: 37, Radius: 200, RadiusUnit: "km", Sort: "ASC"}
	box := redis.GeoSearchQuery{Member: "Palermo", BoxWidth: 500, BoxHeight: 300, BoxUnit: "km", Sort: "DESC", Count: 1, CountAny: true}
	radius := &redis.GeoRadiusQuery{Radius: 200, Unit: "km", WithCoord: true, WithDist: true, WithGeoHash: true, Sort: "ASC"}
	s.say(
		s.GeoAdd(ctx, "g", &redis.GeoLocation{Name: "Palermo", Longitude: 13.361389, Latitude: 38.115556}, &redis.GeoLocation{Name: "Catania", Longitude: 15.087269, Latitude: 37.502669}),
		s.GeoAdd(ctx, "g", &redis.GeoLocation{Name: "off", Longitude: 200, Latitude: 0}), s.GeoDist(ctx, "g", "Palermo", "Catania", "km"), s.GeoDist(ctx, "g", "Palermo", "none", "m"), s.GeoHash(ctx, "g", "Palermo", "none"),
		s.GeoSearch(ctx, "g", &search), s.GeoSearch(ctx, "g", &box), s.GeoSearchLocation(ctx, "g", &redis.GeoSearchLocationQuery{GeoSearchQuery: search, WithCoord: true, WithDist: true, WithHash: true}),
		s.GeoSearchStore(ctx, "g", "out", &redis.GeoSearchStoreQuery{GeoSearchQuery: search, StoreDist: true}), s.ZRange(ctx, "out", 0, -1), s.GeoRadius(ctx, "g", 15, 37, radius),
		s.GeoRadiusByMember(ctx, "g", "Catania", radius), s.GeoRadiusStore(ctx, "g", 15, 37, &redis.GeoRadiusQuery{Radius: 900, Unit: "mi", Store: "st"}), s.ZRangeWithScores(ctx, "st", 0, -1),
		s.GeoSearch(ctx, "none", &search), s.Set(ctx, "s", 1, 0), s.GeoSearch(ctx, "s", &search),
	)
	at, err := s.GeoPos(ctx, "g", "Catania", "none").Result()
	s.lines = append(s.lines, fmt.Sprint("geopos ", *at[0], at[1], err))
}

func goRedisKeys(ctx context.Context, s *script) {
	s.say(
		s.RPush(ctx, "l", 3, 1, 2), s.Set(ctx, "w1", 30, 0), s.Set(ctx, "w2", 20, 0), s.Set(ctx, "w3", 10, 0), s.HSet(ctx, "o2", "name", "two"), s.RPush(ctx, "alpha", "b", "a", "10", "9"),
		s.Sort(ctx, "l", &redis.Sort{}), s.Sort(ctx, "l", &redis.Sort{By: "w*", Get: []string{"#", "w*", "o*->name"}}), s.SortRO(ctx, "l", &redis.Sort{Order: "DESC", Offset: 1, Count: 1}), s.Sort(ctx, "alpha", &redis.Sort{}),
		s.Sort(ctx, "alpha", &redis.Sort{Alpha: true}), s.SortStore(ctx, "l", "sorted", &redis.Sort{}), s.SortInterfaces(ctx, "l", &redis.Sort{Get: []string{"o*->name"}}), s.LRange(ctx, "sorted", 0, -1),
		s.ZAdd(ctx, "z", redis.Z{Score: 1, Member: "m"}), s.SAdd(ctx, "set", 1, 2), s.XAdd(ctx, &redis.XAddArgs{Stream: "x", ID: "1-1", Values: []any{"k", "v"}}), s.HSet(ctx, "h", "f", "v"),
	)
	for _, key := range []string{"w1", "l", "z", "set", "x", "h"} {
		dump := s.Dump(ctx, key).Val()
		s.say(s.Type(ctx, key), s.Restore(ctx, key, 0, dump), s.Restore(ctx, key+"2", time.Hour, dump), s.RestoreReplace(ctx, key, 0, dump), s.Restore(ctx, "bad", 0, dump[:len(dump)-1]),
			s.Copy(ctx, key, key+"3", 0, false), s.Copy(ctx, key, key+"3", 0, false), s.Rename(ctx, key+"3", key+"4"), s.RenameNX(ctx, key, key+"4"), s.Move(ctx, key+"4", 5), s.Exists(ctx, key, key+"4"),
			s.ObjectEncoding(ctx, key+"2"), s.Expire(ctx, key, time.Hour), s.ExpireNX(ctx, key, time.Hour), s.ExpireLT(ctx, key, time.Minute), s.Persist(ctx, key), s.TTL(ctx, key), s.Touch(ctx, key, "none"))
	}
	s.say(s.Dump(ctx, "none"), s.Rename(ctx, "none", "x"), s.LRange(ctx, "l2", 0, -1), s.ZRangeWithScores(ctx, "z2", 0, -1), s.HGetAll(ctx, "h2"), s.XRange(ctx, "x2", "-", "+"), s.SMembers(ctx, "set2"), s.Unlink(ctx, "l", "l2", "none"))
	s.scanned("scan", s.Scan(ctx, 0, "*2", 3))
	s.scanned("scan type", s.ScanType(ctx, 0, "*", 3, "zset"))
	s.sorted(s.Keys(ctx, "w?"))
}

func goRedisMulti(ctx context.Context, s *script) {
	note := func(cmds []redis.Cmder, err error) {
		s.say(cmds...)
		s.lines = append(s.lines, fmt.Sprint("exec ", err))
	}
	note(s.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, "n", 1, 0)
		p.Incr(ctx, "n")
		p.LPush(ctx, "n", "wrong type")
		p.HSet(ctx, "h", "f", "v")
		p.HGetAll(ctx, "h")
		p.ZAdd(ctx, "z", redis.Z{Score: 1, Member: "m"})
		p.ZRangeWithScores(ctx, "z", 0, -1)
		p.BLPop(ctx, time.Second, "none")
		return nil
	}))
	note(s.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, "n", 5, 0)
		p.Do(ctx, "nosuch")
		return nil
	}))
	// The first try meets another client's write, the second does not.
	for _, meddle := range []bool{true, false} {
		err := s.Watch(ctx, func(tx *redis.Tx) error {
			n, err := tx.Get(ctx, "n").Int()
			if err != nil {
				return err
			}
			if meddle {
				s.say(s.Incr(ctx, "n"))
			}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				p.Set(ctx, "n", n*10, 0)
				return nil
			})
			return err
		}, "n")
		s.lines = append(s.lines, fmt.Sprint("watch ", err))
	}
	s.say(s.Get(ctx, "n"), s.Do(ctx, "exec"), s.Do(ctx, "discard"))
}
