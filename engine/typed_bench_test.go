package engine

import (
	"fmt"
	"testing"
)

// Operations on small collections, in the manner of bench's part "types".

func benchTx(b *testing.B, fill func(tx *Tx), op func(tx *Tx, i int)) {
	e := New(Options{})
	defer e.Close()
	h := e.Lock()
	defer h.Unlock()
	tx := h.BeginAt(0, 1_700_000_000_000)
	fill(tx)
	tx.End()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		tx := h.BeginAt(0, 1_700_000_000_000)
		op(tx, i)
		tx.End()
	}
}

func benchKeys(prefix string, n int) [][]byte {
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = fmt.Append(nil, prefix, i)
	}
	return keys
}

func BenchmarkTyped(b *testing.B) {
	keys, words := benchKeys("h:", 1000), benchKeys("e123456789abcd", 1000)
	fields := benchKeys("field:", 10)
	b.Run("HashSet", func(b *testing.B) {
		benchTx(b, func(tx *Tx) {
			for _, k := range keys {
				for i, f := range fields {
					_, _ = tx.HashSet(k, f, words[i])
				}
			}
		}, func(tx *Tx, i int) { _, _ = tx.HashSet(keys[i*7%1000], fields[i%10], words[i%1000]) })
	})
	b.Run("ListPushPop", func(b *testing.B) {
		benchTx(b, func(tx *Tx) {
			for _, k := range keys {
				_, _ = tx.ListPush(k, Tail, false, words[:100]...)
			}
		}, func(tx *Tx, i int) {
			if i%2 == 0 {
				_, _ = tx.ListPush(keys[i*7%1000], Head, false, words[i%1000])
				return
			}
			_ = tx.ListPop(keys[(i-1)*7%1000], Head, 1, func(int, bool) {}, func([]byte) {})
		})
	})
	b.Run("SetAddPop", func(b *testing.B) {
		benchTx(b, func(tx *Tx) {
			for _, k := range keys {
				_, _ = tx.SetAdd(k, words[:100]...)
			}
		}, func(tx *Tx, i int) {
			if i%2 == 0 {
				_, _ = tx.SetAdd(keys[i*7%1000], words[i*13%1000])
				return
			}
			_, _, _ = tx.SetPopOne(keys[(i-1)*7%1000])
		})
	})
}
