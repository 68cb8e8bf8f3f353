//go:build linux

package driver

import "strconv"

// Workloads on the types beyond strings, for one command each.

// Typed is a workload and what has to be there for it.
type Typed struct {
	Workload
	Fill Workload
}

// TypedWorkloads work on about size elements in all:
//
//	hset            HSET of one of 10 fields of a hash
//	hgetall         HGETALL of 10 fields
//	lpush-lpop      LPUSH, then LPOP, of lists of 100
//	lrange          LRANGE of 100 from anywhere in a list of size
//	sadd-spop       SADD, then SPOP, of sets of 100
//	zadd            ZADD of another score in a sorted set of size
//	zrangebyscore   ZRANGEBYSCORE of 10 of it
//	zrank           ZRANK in it
//	xadd            XADD, trimmed to about size
//	xread           XREAD of 10 from anywhere in a stream of size
func TypedWorkloads(size uint64) []Typed {
	many := max(size/100, 1)
	hashes := eachOf(many, func(i uint64) []string {
		argv := []string{"HSET", name("h", i)}
		for f := range uint64(10) {
			argv = append(argv, name("field", f), word(i+f))
		}
		return argv
	})
	lists := eachOf(many*100, func(i uint64) []string { return []string{"RPUSH", name("l", i%many), word(i)} })
	sets := eachOf(many*100, func(i uint64) []string { return []string{"SADD", name("s", i%many), word(i)} })
	long := eachOf(size, func(i uint64) []string { return []string{"RPUSH", "long", word(i)} })
	board := eachOf(size, func(i uint64) []string { return []string{"ZADD", "board", number(mix(i) % (10 * size)), word(i)} })
	stream := inOrder(size, func(i uint64) []string { return []string{"XADD", "x", number(i+1) + "-1", "field", word(i)} })
	at := func(r uint64, most uint64) uint64 { return mix(r) % max(most, 1) }
	return []Typed{
		{random("hset", func(r uint64) []string { return []string{"HSET", name("h", at(r, many)), name("field", r%10), word(r)} }), hashes},
		{random("hgetall", func(r uint64) []string { return []string{"HGETALL", name("h", at(r, many))} }), hashes},
		{random("lpush-lpop", func(r uint64) []string {
			if r%2 == 0 {
				return []string{"LPUSH", name("l", at(r, many)), word(r)}
			}
			return []string{"LPOP", name("l", at(r-1, many))}
		}), lists},
		{random("lrange", func(r uint64) []string {
			from := at(r, max(size, 100)-99)
			return []string{"LRANGE", "long", number(from), number(from + 99)}
		}), long},
		{random("sadd-spop", func(r uint64) []string {
			if r%2 == 0 {
				return []string{"SADD", name("s", at(r, many)), word(mix(r))}
			}
			return []string{"SPOP", name("s", at(r-1, many))}
		}), sets},
		{random("zadd", func(r uint64) []string {
			return []string{"ZADD", "board", number(mix(r+7) % (10 * size)), word(at(r, size))}
		}), board},
		{random("zrangebyscore", func(r uint64) []string {
			return []string{"ZRANGEBYSCORE", "board", number(at(r, 10*size)), "+inf", "LIMIT", "0", "10"}
		}), board},
		{random("zrank", func(r uint64) []string { return []string{"ZRANK", "board", word(at(r, size))} }), board},
		{random("xadd", func(r uint64) []string {
			return []string{"XADD", "log", "MAXLEN", "~", number(size), "*", "field", word(r)}
		}), stream},
		{random("xread", func(r uint64) []string {
			return []string{"XREAD", "COUNT", "10", "STREAMS", "x", number(at(r, size)) + "-0"}
		}), stream},
	}
}

// Shape is data of one kind, for measuring memory.
type Shape struct {
	Workload
	Elements uint64
	Packed   bool // small values, which Redis packs
}

// Shapes are size elements each: as packed values, or in one large one.
func Shapes(size uint64) []Shape {
	packed := func(what string, per uint64, argv func(key, i uint64) []string) Shape {
		return Shape{eachOf(size/per, func(k uint64) []string { return argv(k, k*per) }).called(what), size / per * per, true}
	}
	several := func(head []string, per, from uint64, elem func(i uint64) []string) []string {
		for i := range per {
			head = append(head, elem(from+i)...)
		}
		return head
	}
	large := func(what string, argv func(i uint64) []string) Shape {
		return Shape{inOrder(size, argv).called(what), size, false}
	}
	return []Shape{
		packed("hashes of 8 fields", 8, func(k, from uint64) []string {
			return several([]string{"HSET", name("session", k)}, 8, from, func(i uint64) []string { return []string{name("attribute", i%8), word(i)} })
		}),
		packed("lists of 20 elements", 20, func(k, from uint64) []string {
			return several([]string{"RPUSH", name("list", k)}, 20, from, func(i uint64) []string { return []string{word(i)} })
		}),
		packed("sets of 20 integers", 20, func(k, from uint64) []string {
			return several([]string{"SADD", name("ints", k)}, 20, from, func(i uint64) []string { return []string{number(i % 30_000)} })
		}),
		packed("sorted sets of 20 members", 20, func(k, from uint64) []string {
			return several([]string{"ZADD", name("zset", k)}, 20, from, func(i uint64) []string { return []string{number(i % 1000), word(i)} })
		}),
		large("one hash", func(i uint64) []string { return []string{"HSET", "hash", name("field", i), word(i)} }),
		large("one list", func(i uint64) []string { return []string{"RPUSH", "list", word(i)} }),
		large("one set", func(i uint64) []string { return []string{"SADD", "set", word(i)} }),
		large("one sorted set", func(i uint64) []string { return []string{"ZADD", "zset", number(mix(i) % (10 * size)), word(i)} }),
		large("one stream", func(i uint64) []string { return []string{"XADD", "x", number(i+1) + "-1", "field", word(i)} }),
	}
}

func (w Workload) called(name string) Workload { return Workload{name, w.Source} }

func name(prefix string, i uint64) string { return prefix + ":" + number(i) }
func number(i uint64) string              { return strconv.FormatUint(i, 10) }

// word is an element of 16 bytes that is no number.
func word(i uint64) string { return "e" + string(appendHex(nil, mix(i))[1:]) }

// random asks for ever; r is another number each time.
func random(what string, argv func(r uint64) []string) Workload {
	return Workload{what, func(i, _ int) Source {
		r := uint64(i) << 40
		return func(dst []byte) ([]byte, bool) {
			dst = appendCommand(dst, argv(r))
			r++
			return dst, true
		}
	}}
}

// eachOf asks once for each of n, by all connections together.
func eachOf(n uint64, argv func(i uint64) []string) Workload {
	return Workload{"fill", func(i, conns int) Source {
		at := uint64(i)
		return func(dst []byte) ([]byte, bool) {
			if at >= n {
				return dst, false
			}
			dst = appendCommand(dst, argv(at))
			at += uint64(conns)
			return dst, true
		}
	}}
}

// inOrder is eachOf by one connection.
func inOrder(n uint64, argv func(i uint64) []string) Workload {
	return Workload{"fill", func(i, _ int) Source {
		at := uint64(0)
		if i > 0 {
			at = n
		}
		return func(dst []byte) ([]byte, bool) {
			if at >= n {
				return dst, false
			}
			dst = appendCommand(dst, argv(at))
			at++
			return dst, true
		}
	}}
}
