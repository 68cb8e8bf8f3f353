package policy

import (
	"bytes"
	"fmt"
	"testing"

	"coatcheck/engine"
)

// BenchmarkSet is a SET of a session of 324 bytes with a TTL that exists already and has
// another time in its cookie, in the engine alone, without and with policies.
func BenchmarkSet(b *testing.B) {
	for _, c := range []struct {
		name string
		opt  Options
	}{
		{"off", Options{}},
		{"tombstones", Options{Prefix: "myapp:", TombstoneTTL: 30_000, TombstoneMax: 100_000}},
		{"lifetime", Options{Prefix: "myapp:", MaxLifetime: 8 * 3600 * 1000}},
		{"users", Options{Prefix: "myapp:", Users: parse(b, "passport.user", "passport.user.id", "bff.sub")}},
		{"all", Options{
			Prefix: "myapp:", TombstoneTTL: 30_000, TombstoneMax: 100_000, MaxLifetime: 8 * 3600 * 1000, MaxPerUser: 10, Events: 1000,
			Users: parse(b, "passport.user", "passport.user.id", "bff.sub"),
		}},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkSet(b, c.opt) })
	}
}

func benchmarkSet(b *testing.B, opt Options) {
	const n = 10_000
	e := engine.New(engine.Options{})
	defer e.Close()
	k := New(e, 16, func() string { return "" })
	h := e.Lock()
	now := engine.UnixMilli(e.Clock().Now().UnixMilli())
	k.Set(h, now, opt)
	h.Unlock()
	keys, values := make([][]byte, n), make([][]byte, n)
	for i := range n {
		keys[i] = fmt.Appendf(nil, "myapp:%032d", i*7919)
		values[i] = bytes.Replace([]byte(session), []byte("alice"), fmt.Appendf(nil, "u%04d", i/2), 1)
	}
	second := bytes.Index(values[0], []byte("16.195Z"))
	set := func(i int) {
		values[i%n][second+1] = '0' + byte(i/n%10)
		h := e.Lock()
		tx := h.BeginAt(0, now)
		_, _ = tx.StringSet(keys[i%n], values[i%n], engine.SetOptions{At: now + 900_000 + engine.UnixMilli(i)})
		tx.End()
		h.Unlock()
	}
	for i := range n {
		set(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		set(i)
	}
}
