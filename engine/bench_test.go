package engine_test

import (
	"fmt"
	"testing"

	"coatcheck/engine"
)

// benchKeys is enough for neither the dict nor the entries to fit in a cache.
const benchKeys = 1_000_000

// sessions is an engine with keys of 38 bytes and values of 324 that expire in
// 15 minutes, and the keys' names.
func sessions(b *testing.B) (*engine.Engine, [][]byte, []byte) {
	e := engine.New(engine.Options{})
	b.Cleanup(e.Close)
	keys := make([][]byte, benchKeys)
	val := make([]byte, 324)
	h := e.Lock()
	tx := h.Begin(0)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "myapp:%032x", uint32(i)*2654435761)
		_, _ = tx.StringSet(keys[i], val, engine.SetOptions{At: tx.Now() + 900_000 + engine.UnixMilli(i)})
	}
	tx.End()
	h.Unlock()
	b.ReportAllocs()
	return e, keys, val
}

func BenchmarkGet(b *testing.B) {
	e, keys, _ := sessions(b)
	i := uint32(0)
	for b.Loop() {
		i = i*1664525 + 1013904223
		h := e.Lock()
		tx := h.Begin(0)
		_, _, _ = tx.String(keys[i%benchKeys])
		tx.End()
		h.Unlock()
	}
}

func BenchmarkSet(b *testing.B) {
	e, keys, val := sessions(b)
	i := uint32(0)
	for b.Loop() {
		i = i*1664525 + 1013904223
		h := e.Lock()
		tx := h.Begin(0)
		_, _ = tx.StringSet(keys[i%benchKeys], val[:290+i>>27], engine.SetOptions{At: tx.Now() + 1_900_000})
		tx.End()
		h.Unlock()
	}
}

func BenchmarkPExpire(b *testing.B) {
	e, keys, _ := sessions(b)
	i := uint32(0)
	for b.Loop() {
		i = i*1664525 + 1013904223
		h := e.Lock()
		tx := h.Begin(0)
		tx.KeyExpire(keys[i%benchKeys], tx.Now()+1_900_000, 0)
		tx.End()
		h.Unlock()
	}
}

// BenchmarkLogin is a new session and the end of another.
func BenchmarkLogin(b *testing.B) {
	e, keys, val := sessions(b)
	i := uint32(0)
	for b.Loop() {
		i = i*1664525 + 1013904223
		key := keys[i%benchKeys]
		h := e.Lock()
		tx := h.Begin(0)
		tx.Delete("DEL", key)
		_, _ = tx.StringSet(key, val, engine.SetOptions{At: tx.Now() + 900_000})
		tx.End()
		h.Unlock()
	}
}

func BenchmarkEvict(b *testing.B) {
	e, keys, val := sessions(b)
	h := e.Lock()
	l := engine.DefaultLimits
	l.Policy, l.MaxMemory = engine.AllKeysLRU, h.Memory().Used
	h.SetLimits(l)
	h.Unlock()
	i := uint32(0)
	for b.Loop() {
		i = i*1664525 + 1013904223
		h := e.Lock()
		_ = h.MakeRoom()
		tx := h.Begin(0)
		_, _ = tx.StringSet(keys[i%benchKeys], val, engine.SetOptions{At: tx.Now() + 900_000})
		tx.End()
		h.Unlock()
	}
}
