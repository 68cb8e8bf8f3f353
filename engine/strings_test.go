package engine_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/engine/errs"
)

func b(s string) []byte { return []byte(s) }

// value is the string at key; "" without one.
func value(t *testing.T, tx *engine.Tx, key string) string {
	t.Helper()
	val, _, err := tx.String(b(key))
	require.NoError(t, err)
	return string(val)
}

func TestStringSet(t *testing.T) {
	f := enginetest.New(t)
	now := engine.UnixMilli(f.Now().UnixMilli())
	for _, c := range []struct {
		name   string
		old    string // "" for none
		oldAt  engine.UnixMilli
		opt    engine.SetOptions
		done   bool
		wantAt engine.UnixMilli
	}{
		{"new", "", 0, engine.SetOptions{}, true, engine.Never},
		{"replaced", "old", 0, engine.SetOptions{}, true, engine.Never},
		{"drops the deadline", "old", now + 5, engine.SetOptions{}, true, engine.Never},
		{"keeps the deadline", "old", now + 5, engine.SetOptions{KeepTTL: true}, true, now + 5},
		{"keeps none", "old", 0, engine.SetOptions{KeepTTL: true}, true, engine.Never},
		{"keeps none of a new key", "", 0, engine.SetOptions{KeepTTL: true}, true, engine.Never},
		{"deadline", "old", now + 5, engine.SetOptions{At: now + 9}, true, now + 9},
		{"highest deadline", "", 0, engine.SetOptions{At: math.MaxInt64}, true, math.MaxInt64},
		{"NX, missing", "", 0, engine.SetOptions{If: engine.IfMissing}, true, engine.Never},
		{"NX, there", "old", now + 5, engine.SetOptions{If: engine.IfMissing, At: now + 9}, false, now + 5},
		{"XX, missing", "", 0, engine.SetOptions{If: engine.IfExists}, false, 0},
		{"XX, there", "old", 0, engine.SetOptions{If: engine.IfExists}, true, engine.Never},
	} {
		f.Tx(func(tx *engine.Tx) {
			tx.FlushDB()
			if c.old != "" {
				_, err := tx.StringSet(b("k"), b(c.old), engine.SetOptions{At: c.oldAt})
				require.NoError(t, err)
			}
			c.opt.Get = true
			res, err := tx.StringSet(b("k"), b("new"), c.opt)
			require.NoError(t, err)
			require.Equal(t, c.done, res.Done, c.name)
			require.Equal(t, c.old != "", res.Had, c.name)
			require.Equal(t, c.old, string(res.Old), c.name)
			at, ok := tx.ExpireAt(b("k"))
			require.Equal(t, c.done || c.old != "", ok, c.name)
			switch {
			case c.done:
				require.Equal(t, "new", value(t, tx, "k"), c.name)
				require.Equal(t, c.wantAt, at, c.name)
			case ok:
				require.Equal(t, c.old, value(t, tx, "k"), c.name)
				require.Equal(t, c.wantAt, at, c.name)
			}
		})
	}
}

// Every operation on strings refuses another type and leaves it alone; SET and
// MSET replace it.
func TestStringWrongType(t *testing.T) {
	f := enginetest.New(t)
	list := b("list")
	for name, op := range map[string]func(tx *engine.Tx) error{
		"String": func(tx *engine.Tx) error { _, _, err := tx.String(list); return err },
		"GET": func(tx *engine.Tx) error {
			_, err := tx.StringSet(list, list, engine.SetOptions{Get: true})
			return err
		},
		"GetDelete":           func(tx *engine.Tx) error { _, _, err := tx.StringGetDelete(list); return err },
		"GetExpire":           func(tx *engine.Tx) error { _, _, err := tx.StringGetExpire(list, engine.TTLChange{At: 1}); return err },
		"Len":                 func(tx *engine.Tx) error { _, err := tx.StringLen(list); return err },
		"Range":               func(tx *engine.Tx) error { _, err := tx.StringRange(list, 0, -1); return err },
		"SetRange":            func(tx *engine.Tx) error { _, err := tx.StringSetRange(list, 0, b("x")); return err },
		"SetRange of nothing": func(tx *engine.Tx) error { _, err := tx.StringSetRange(list, 0, nil); return err },
		"SetRange far": func(tx *engine.Tx) error {
			_, err := tx.StringSetRange(list, math.MaxInt64, b("x"))
			return err
		},
		"Append":    func(tx *engine.Tx) error { _, err := tx.StringAppend(list, b("x")); return err },
		"Incr":      func(tx *engine.Tx) error { _, err := tx.StringIncr(list, 1); return err },
		"IncrFloat": func(tx *engine.Tx) error { _, err := tx.StringIncrFloat(list, b("x")); return err },
	} {
		f.Tx(func(tx *engine.Tx) {
			tx.PutList(list)
			require.ErrorIs(t, op(tx), errs.WrongType, name)
			require.Equal(t, engine.TList, tx.TypeOf(list), name)
		})
	}
	f.Tx(func(tx *engine.Tx) {
		_, err := tx.StringSet(b("s"), b("x"), engine.SetOptions{})
		require.NoError(t, err)
		require.ErrorIs(t, tx.LCSKeys(list, b("s")), errs.LCSNotStrings)
		require.ErrorIs(t, tx.LCSKeys(b("s"), list), errs.LCSNotStrings)
		_, err = tx.StringLCS(b("s"), list, engine.LCSWants{})
		require.ErrorIs(t, err, errs.LCSNotStrings)

		require.False(t, tx.StringSetMany([][]byte{b("new"), b("x"), list, b("x")}, true))
		_, err = tx.StringSet(list, b("v"), engine.SetOptions{})
		require.NoError(t, err)
		require.Equal(t, "v", value(t, tx, "list"))
		tx.PutList(list)
		require.True(t, tx.StringSetMany([][]byte{list, b("w")}, false))
		require.Equal(t, "w", value(t, tx, "list"))
	})
}

func TestStringIncrEdges(t *testing.T) {
	f := enginetest.New(t)
	for _, c := range []struct {
		old  string
		by   int64
		want string
		err  error
	}{
		{"", 5, "5", nil},
		{"9223372036854775806", 1, "9223372036854775807", nil},
		{"9223372036854775807", 1, "", errs.WouldOverflow},
		{"9223372036854775807", 0, "9223372036854775807", nil},
		{"1", math.MaxInt64, "", errs.WouldOverflow},
		{"-9223372036854775808", -1, "", errs.WouldOverflow},
		{"-1", math.MinInt64, "", errs.WouldOverflow},
		{"0", math.MinInt64, "-9223372036854775808", nil},
		{"9223372036854775807", math.MinInt64, "-1", nil},
		{"9223372036854775808", 1, "", errs.NotInteger},
		{"-9223372036854775809", 1, "", errs.NotInteger},
		{"1 ", 1, "", errs.NotInteger},
		{"1\x00", 1, "", errs.NotInteger},
	} {
		f.Tx(func(tx *engine.Tx) {
			tx.FlushDB()
			if c.old != "" {
				_, err := tx.StringSet(b("n"), b(c.old), engine.SetOptions{})
				require.NoError(t, err)
			}
			_, err := tx.StringIncr(b("n"), c.by)
			if c.err != nil {
				require.ErrorIs(t, err, c.err, c.old)
				c.want = c.old
			} else {
				require.NoError(t, err, c.old)
			}
			require.Equal(t, c.want, value(t, tx, "n"))
		})
	}
}

// Offsets and lengths whose sum leaves 64 bits, or the limit, make no string.
func TestStringTooLong(t *testing.T) {
	f := enginetest.New(t)
	h := f.Lock()
	h.SetMaxString(100)
	h.Unlock()
	f.Tx(func(tx *engine.Tx) {
		for _, offset := range []int64{100, 99 + 2, 1 << 31, 1 << 32, math.MaxInt64 - 1, math.MaxInt64} {
			_, err := tx.StringSetRange(b("k"), offset, b("ab"))
			require.ErrorIs(t, err, errs.StringTooLong, "%d", offset)
		}
		for _, offset := range []int64{-1, math.MinInt64} {
			_, err := tx.StringSetRange(b("k"), offset, b("ab"))
			require.ErrorIs(t, err, errs.OffsetOutOfRange)
		}
		require.Zero(t, tx.Len())
		n, err := tx.StringSetRange(b("k"), 98, b("ab"))
		require.NoError(t, err)
		require.Equal(t, 100, n)
		_, err = tx.StringAppend(b("k"), b("c"))
		require.ErrorIs(t, err, errs.StringTooLong)
		n, err = tx.StringAppend(b("k"), nil)
		require.NoError(t, err)
		require.Equal(t, 100, n)
		require.Equal(t, strings.Repeat("\x00", 98)+"ab", value(t, tx, "k"))
	})
}

// Bounds at the ends of 64 bits are cut to the string.
func TestStringRangeBounds(t *testing.T) {
	f := enginetest.New(t)
	const s = "0123456789"
	f.Tx(func(tx *engine.Tx) {
		_, err := tx.StringSet(b("k"), b(s), engine.SetOptions{})
		require.NoError(t, err)
		edges := []int64{math.MinInt64, math.MinInt64 + 1, -11, -10, -9, -1, 0, 1, 9, 10, 11, math.MaxInt64 - 1, math.MaxInt64}
		for _, start := range edges {
			for _, end := range edges {
				got, err := tx.StringRange(b("k"), start, end)
				require.NoError(t, err)
				require.Equal(t, naiveRange(s, start, end), string(got), "%d %d", start, end)
			}
		}
	})
}

// naiveRange takes the bytes whose index, counted from either end, lies between.
// As in Redis an end before the first byte counts as the first, unless both ends
// are counted from the end and the wrong way round.
func naiveRange(s string, start, end int64) string {
	n := int64(len(s))
	if start < 0 && end < 0 && start > end {
		return ""
	}
	if end < -n {
		end = 0
	}
	out := ""
	for i := range n {
		afterStart := start >= 0 && i >= start || start < 0 && i-n >= start
		beforeEnd := end >= 0 && i <= end || end < 0 && i-n <= end
		if afterStart && beforeEnd {
			out += string(s[i])
		}
	}
	return out
}

// A value that a write is about to free is returned whole.
func TestOldValueOutlivesTheWrite(t *testing.T) {
	f := enginetest.New(t)
	for _, n := range []int{1, 100, 70_000, 3 << 20} {
		old := strings.Repeat("o", n)
		f.Tx(func(tx *engine.Tx) {
			_, err := tx.StringSet(b("k"), b(old), engine.SetOptions{})
			require.NoError(t, err)
			res, err := tx.StringSet(b("k"), b(strings.Repeat("n", n)), engine.SetOptions{Get: true})
			require.NoError(t, err)
			require.True(t, old == string(res.Old), "SET GET of %d bytes", n)
			val, ok, err := tx.StringGetExpire(b("k"), engine.TTLChange{At: 1})
			require.NoError(t, err)
			require.True(t, ok && strings.Repeat("n", n) == string(val), "GETEX of %d bytes", n)
			_, err = tx.StringSet(b("k"), b(old), engine.SetOptions{})
			require.NoError(t, err)
			val, ok, err = tx.StringGetDelete(b("k"))
			require.NoError(t, err)
			require.True(t, ok && old == string(val), "GETDEL of %d bytes", n)
		})
	}
}

// LCS keeps a bit a cell, and refuses what would take too long.
func TestLCSLimit(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		n := 1 << 15
		for n*n <= engine.MaxLCSCells {
			n *= 2
		}
		for _, key := range []string{"a", "b"} {
			_, err := tx.StringSet(b(key), b(strings.Repeat(key, n)), engine.SetOptions{})
			require.NoError(t, err)
		}
		_, err := tx.StringLCS(b("a"), b("b"), engine.LCSWants{Text: true})
		require.ErrorIs(t, err, errs.LCSMemory)
		_, err = tx.StringSet(b("b"), b("aba"), engine.SetOptions{})
		require.NoError(t, err)
		res, err := tx.StringLCS(b("a"), b("b"), engine.LCSWants{Text: true, Matches: true})
		require.NoError(t, err)
		require.Equal(t, "aa", string(res.Text))
		require.Equal(t, 2, res.Len)
	})
}

func TestDeadlineConditions(t *testing.T) {
	f := enginetest.New(t)
	now := engine.UnixMilli(f.Now().UnixMilli())
	const nx, xx, gt, lt = engine.ExpireNX, engine.ExpireXX, engine.ExpireGT, engine.ExpireLT
	for _, c := range []struct {
		old, at engine.UnixMilli
		cond    engine.ExpireCond
		done    bool
	}{
		{engine.Never, now + 5, 0, true},
		{engine.Never, now + 5, nx, true},
		{engine.Never, now + 5, xx, false},
		{engine.Never, now + 5, gt, false},
		{engine.Never, now + 5, lt, true},
		{engine.Never, now + 5, xx | lt, false},
		{now + 5, now + 5, nx, false},
		{now + 5, now + 5, xx, true},
		{now + 5, now + 5, gt, false},
		{now + 5, now + 5, lt, false},
		{now + 5, now + 6, gt, true},
		{now + 5, now + 6, lt, false},
		{now + 5, now + 4, gt, false},
		{now + 5, now + 4, lt, true},
		{now + 5, now + 4, xx | lt, true},
		{now + 5, now + 6, xx | gt, true},
		{now + 5, now - 1, gt, false},
	} {
		f.Tx(func(tx *engine.Tx) {
			_, err := tx.StringSet(b("k"), b("v"), engine.SetOptions{At: c.old})
			require.NoError(t, err)
			require.Equal(t, c.done, tx.KeyExpire(b("k"), c.at, c.cond), "%+v", c)
			at, ok := tx.ExpireAt(b("k"))
			require.True(t, ok)
			if c.done {
				require.Equal(t, c.at, at, "%+v", c)
			} else {
				require.Equal(t, c.old, at, "%+v", c)
			}
		})
	}
	f.Tx(func(tx *engine.Tx) {
		require.True(t, tx.KeyExpire(b("k"), now, 0), "a deadline that has come")
		require.False(t, tx.Has(b("k")))
		require.False(t, tx.KeyExpire(b("k"), now+5, 0), "no key")
	})
}

// A key is there until its deadline and gone at it, whoever looks: the timer
// need not have come.
func TestGoneAtTheMillisecond(t *testing.T) {
	f := enginetest.New(t)
	for name, there := range map[string]func(tx *engine.Tx) bool{
		"String":    func(tx *engine.Tx) bool { _, ok, _ := tx.String(b("k")); return ok },
		"Exists":    func(tx *engine.Tx) bool { return tx.Exists(b("k")) == 1 },
		"TypeOf":    func(tx *engine.Tx) bool { return tx.TypeOf(b("k")) != engine.None },
		"ExpireAt":  func(tx *engine.Tx) bool { _, ok := tx.ExpireAt(b("k")); return ok },
		"RandomKey": func(tx *engine.Tx) bool { _, ok := tx.RandomKey(); return ok },
		"KeyScan": func(tx *engine.Tx) (found bool) {
			tx.KeyScan(0, engine.ScanOptions{}, func([]byte) { found = true })
			return found
		},
		"Touch":   func(tx *engine.Tx) bool { return tx.Touch(b("k")) == 1 },
		"Rename":  func(tx *engine.Tx) bool { _, err := tx.KeyRename(b("k"), b("k"), false); return err == nil },
		"Delete":  func(tx *engine.Tx) bool { return tx.Delete("DEL", b("k")) == 1 },
		"Persist": func(tx *engine.Tx) bool { return tx.KeyPersist(b("k")) },
	} {
		for after, want := range map[engine.UnixMilli]bool{9: true, 10: false} {
			now := engine.UnixMilli(f.Now().UnixMilli())
			f.Tx(func(tx *engine.Tx) {
				_, err := tx.StringSet(b("k"), b("v"), engine.SetOptions{At: now + 10})
				require.NoError(t, err)
			})
			h := f.Lock()
			tx := h.BeginAt(0, now+after)
			require.Equal(t, want, there(tx), "%s %d ms later", name, after)
			tx.End()
			h.Unlock()
		}
	}
}
