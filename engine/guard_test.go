package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// guard refuses keys named "no", and lets no key live longer than until last.
type guard struct{ last engine.UnixMilli }

func (g *guard) Allow(_ *engine.Tx, c *engine.Change) bool {
	if c.At == engine.Never || c.At > g.last {
		c.At = g.last
	}
	return string(c.Key) != "no"
}

// Whoever repeats the commands of changes whose deadline the guard has made earlier has
// the same deadlines, told behind the change itself.
func TestGuardedDeadlinesAreRepeated(t *testing.T) {
	f := enginetest.New(t)
	r := &recorder{wants: engine.Wants{Argv: true}}
	held(f, func(h engine.Held) {
		h.AddSink(r)
		h.SetGuard(&guard{1_700_000_005_000})
	})
	b := func(s string) []byte { return []byte(s) }
	for _, step := range []struct {
		do   func(tx *engine.Tx) error
		want []string
	}{
		{func(tx *engine.Tx) error {
			_, err := tx.StringSet(b("s"), b("v"), engine.SetOptions{})
			return err
		}, []string{`["SET" "s" "v" "PXAT" "1700000005000"]`}},
		{func(tx *engine.Tx) error {
			_, err := tx.StringSet(b("s"), b("v"), engine.SetOptions{At: 1_700_000_001_000})
			return err
		}, []string{`["SET" "s" "v" "PXAT" "1700000001000"]`}},
		{func(tx *engine.Tx) error { tx.KeyPersist(b("s")); return nil }, []string{`["PEXPIREAT" "s" "1700000005000"]`}},
		{func(tx *engine.Tx) error { tx.KeyPersist(b("s")); return nil }, nil},
		{func(tx *engine.Tx) error { tx.KeyExpire(b("s"), 1_700_000_009_000, 0); return nil }, []string{`["PEXPIREAT" "s" "1700000005000"]`}},
		{func(tx *engine.Tx) error { _, err := tx.HashSet(b("h"), b("f"), b("v")); return err },
			[]string{`["HSET" "h" "f" "v"]`, `["PEXPIREAT" "h" "1700000005000"]`}},
		{func(tx *engine.Tx) error {
			tx.StringSetMany([][]byte{b("a"), b("1"), b("b"), b("2")}, false)
			return nil
		},
			[]string{`["MSET" "a" "1" "b" "2"]`, `["PEXPIREAT" "a" "1700000005000"]`, `["PEXPIREAT" "b" "1700000005000"]`}},
		{func(tx *engine.Tx) error { _, err := tx.KeyRename(b("a"), b("c"), false); return err }, []string{`["RENAME" "a" "c"]`}},
	} {
		r.argv = nil
		f.Tx(func(tx *engine.Tx) { require.NoError(t, step.do(tx)) })
		require.Equal(t, step.want, r.argv)
	}
}

// What the guard refuses has not happened, and nobody hears of it.
func TestGuardRefuses(t *testing.T) {
	f := enginetest.New(t)
	b := func(s string) []byte { return []byte(s) }
	f.Tx(func(tx *engine.Tx) {
		_, err := tx.StringSet(b("s"), b("v"), engine.SetOptions{})
		require.NoError(t, err)
		_, err = tx.SetAdd(b("set"), b("x"), b("y"))
		require.NoError(t, err)
		_, err = tx.ListPush(b("list"), engine.Head, false, b("x"))
		require.NoError(t, err)
	})
	r := &recorder{wants: engine.Wants{Events: ^engine.Class(0), Argv: true}}
	held(f, func(h engine.Held) {
		h.AddSink(r)
		h.SetGuard(&guard{1 << 60})
	})
	big := make([][]byte, 0, 4000)
	for i := range 2000 {
		big = append(big, []byte{byte(i), byte(i >> 8)}, b("v"))
	}
	for i, do := range []func(tx *engine.Tx) error{
		func(tx *engine.Tx) error { _, err := tx.StringSet(b("no"), b("v"), engine.SetOptions{}); return err },
		func(tx *engine.Tx) error {
			tx.StringSetMany([][]byte{b("s"), b("w"), b("no"), b("v")}, false)
			return nil
		},
		func(tx *engine.Tx) error { _, err := tx.HashSet(b("no"), big...); return err },
		func(tx *engine.Tx) error { _, err := tx.SetAdd(b("no"), big...); return err },
		func(tx *engine.Tx) error { _, err := tx.SetMove(b("set"), b("no"), b("x")); return err },
		func(tx *engine.Tx) error {
			_, _, err := tx.ListMove(b("list"), b("no"), engine.Head, engine.Head)
			return err
		},
		func(tx *engine.Tx) error { _, err := tx.KeyRename(b("s"), b("no"), false); return err },
		func(tx *engine.Tx) error { _, err := tx.KeyCopy(b("set"), b("no"), 3, false); return err },
		func(tx *engine.Tx) error {
			return tx.ValueRestore(b("no"), &engine.Value{Type: engine.TString}, engine.RestoreOptions{})
		},
	} {
		require.ErrorIs(t, f.Do(0, do), engine.ErrRefused, i)
	}
	require.Empty(t, r.seen)
	require.Empty(t, r.argv)
	f.Tx(func(tx *engine.Tx) {
		require.Equal(t, 3, tx.Exists(b("s"), b("set"), b("list"), b("no")))
		val, _, err := tx.String(b("s"))
		require.NoError(t, err)
		require.Equal(t, "v", string(val))
	})
}
