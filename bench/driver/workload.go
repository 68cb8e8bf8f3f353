//go:build linux

package driver

import (
	"strconv"
	"time"
)

// Source gives one connection its commands: it appends the next one to dst, or
// says that there is none left.
type Source func(dst []byte) (cmd []byte, ok bool)

// Workload makes the source of connection i of n.
type Workload struct {
	Name   string
	Source func(i, n int) Source
}

// Sessions are the sessions that a workload works on.
type Sessions struct {
	Count     uint64        // sessions 0 … Count-1 exist
	ValueSize int           // bytes of a value that is written
	TTL       time.Duration // time to live that is written
}

// Workloads are the session workloads by name:
//
//	ping        PING
//	read        GET
//	write       SET … PX
//	touch       PEXPIRE
//	read-touch  GET, then EXPIRE of the same session, as a rolling BFF does
//	login       a session's life: SET … PX, eight times GET and PEXPIRE, DEL
func Workloads(s Sessions) []Workload {
	return []Workload{
		{"ping", func(int, int) Source { return fixed("PING") }},
		{"read", s.one(s.get)},
		{"write", s.one(s.set)},
		{"touch", s.one(s.pexpire)},
		{"read-touch", s.readTouch},
		{"login", s.login},
	}
}

// Named finds a workload by name.
func Named(s Sessions, name string) (Workload, bool) {
	for _, w := range Workloads(s) {
		if w.Name == name {
			return w, true
		}
	}
	return Workload{}, false
}

// one asks one command about random sessions for ever.
func (s Sessions) one(cmd func() func(dst []byte, i uint64) []byte) func(i, n int) Source {
	return func(i, _ int) Source {
		chance := rng{uint64(i) << 32}
		appendCmd := cmd()
		return func(dst []byte) ([]byte, bool) {
			return appendCmd(dst, chance.below(s.Count)), true
		}
	}
}

func (s Sessions) get() func(dst []byte, i uint64) []byte {
	return keyed("GET")
}

func (s Sessions) set() func(dst []byte, i uint64) []byte {
	return keyed("SET", string(Value(s.ValueSize)), "PX", millis(s.TTL))
}

func (s Sessions) pexpire() func(dst []byte, i uint64) []byte {
	return keyed("PEXPIRE", millis(s.TTL))
}

func (s Sessions) readTouch(i, _ int) Source {
	chance := rng{uint64(i) << 32}
	get, expire := keyed("GET"), keyed("EXPIRE", strconv.Itoa(int(s.TTL/time.Second)))
	var id uint64
	touch := true
	return func(dst []byte) ([]byte, bool) {
		if touch = !touch; touch {
			return expire(dst, id), true
		}
		id = chance.below(s.Count)
		return get(dst, id), true
	}
}

// login uses sessions of its own, beyond those that exist.
func (s Sessions) login(i, _ int) Source {
	const commands = 1 + 2*8 + 1
	set, get, touch, del := s.set(), s.get(), s.pexpire(), keyed("DEL")
	id := uint64(i+1) << 40
	step := 0
	return func(dst []byte) ([]byte, bool) {
		defer func() { step = (step + 1) % commands }()
		switch {
		case step == 0:
			id++
			return set(dst, id), true
		case step == commands-1:
			return del(dst, id), true
		case step%2 == 1:
			return get(dst, id), true
		default:
			return touch(dst, id), true
		}
	}
}

// Fill writes every session once, in order.
func Fill(s Sessions) Workload {
	return Workload{"fill", func(i, n int) Source {
		set := s.set()
		id := uint64(i)
		return func(dst []byte) ([]byte, bool) {
			if id >= s.Count {
				return dst, false
			}
			dst = set(dst, id)
			id += uint64(n)
			return dst, true
		}
	}}
}

// Churn writes every session once in a random order that round chooses, with
// values of a quarter less to a quarter more than s.ValueSize, in the mean that.
func Churn(s Sessions, round uint64) Workload {
	return Workload{"churn", func(i, n int) Source {
		sizes := s.churnSizes()
		at := uint64(i)
		order := newPermutation(s.Count, round)
		return func(dst []byte) ([]byte, bool) {
			if at >= s.Count {
				return dst, false
			}
			id := order.at(at)
			at += uint64(n)
			return sizes[mix(id^round<<48)%uint64(len(sizes))](dst, id), true
		}
	}}
}

func (s Sessions) churnSizes() []func(dst []byte, i uint64) []byte {
	var sizes []func(dst []byte, i uint64) []byte
	for eighth := -8; eighth <= 8; eighth++ {
		sized := s
		sized.ValueSize += s.ValueSize / 4 * eighth / 8
		sizes = append(sizes, sized.set())
	}
	return sizes
}

// Deadlines writes every session once, in a random order, to expire at first
// plus its share of spread: session i at first + spread*i/Count.
func Deadlines(s Sessions, first time.Time, spread time.Duration) Workload {
	return Workload{"deadlines", func(i, n int) Source {
		value := string(Value(s.ValueSize))
		order := newPermutation(s.Count, 1)
		at := uint64(i)
		return func(dst []byte) ([]byte, bool) {
			if at >= s.Count {
				return dst, false
			}
			id := order.at(at)
			at += uint64(n)
			deadline := first.UnixMilli() + spread.Milliseconds()*int64(id)/int64(s.Count)
			return keyed("SET", value, "PXAT", strconv.FormatInt(deadline, 10))(dst, id), true
		}
	}}
}

// permutation puts 0 … n-1 in an order that looks random: a Feistel network
// over the next even power of two, walked until it falls inside.
type permutation struct {
	n, seed uint64
	half    uint
}

func newPermutation(n, seed uint64) permutation {
	p := permutation{n: n, seed: mix(seed), half: 1}
	for uint64(1)<<(2*p.half) < n {
		p.half++
	}
	return p
}

func (p permutation) at(i uint64) uint64 {
	mask := uint64(1)<<p.half - 1
	for {
		left, right := i>>p.half, i&mask
		for round := range uint64(3) {
			left, right = right, left^mix(right^p.seed+round<<56)&mask
		}
		if i = left<<p.half | right; i < p.n {
			return i
		}
	}
}

// keyed renders a command with a key as its first argument once, and returns
// what appends it for session i.
func keyed(name string, rest ...string) func(dst []byte, i uint64) []byte {
	head := "*" + strconv.Itoa(2+len(rest)) + "\r\n" + bulk(name) + "$" + strconv.Itoa(KeyLen) + "\r\n"
	tail := "\r\n"
	for _, arg := range rest {
		tail += bulk(arg)
	}
	return func(dst []byte, i uint64) []byte {
		dst = append(dst, head...)
		dst = AppendKey(dst, i)
		return append(dst, tail...)
	}
}

func fixed(args ...string) Source {
	cmd := string(appendCommand(nil, args))
	return func(dst []byte) ([]byte, bool) { return append(dst, cmd...), true }
}

func appendCommand(dst []byte, args []string) []byte {
	dst = append(dst, "*"+strconv.Itoa(len(args))+"\r\n"...)
	for _, arg := range args {
		dst = append(dst, bulk(arg)...)
	}
	return dst
}

func bulk(s string) string { return "$" + strconv.Itoa(len(s)) + "\r\n" + s + "\r\n" }

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
