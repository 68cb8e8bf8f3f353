package command_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
)

// follower repeats on another engine what effects say, as a replica or a log
// would.
type follower struct {
	t    *testing.T
	copy *ours
}

func (f *follower) Wants() engine.Wants { return engine.Wants{Argv: true} }

func (f *follower) Effect(_ *engine.Tx, e *engine.Effect) {
	if e.Argv == nil {
		return
	}
	var words []string
	for _, w := range e.Argv {
		words = append(words, string(w))
	}
	f.copy.db = e.ArgvDB
	reply := f.copy.do(f.t, words).reply
	require.False(f.t, strings.HasPrefix(reply, "-"), "%q answered %q", words, reply)
}

// dump is every key with its value and deadline.
func (o *ours) dump(t *testing.T) map[string]string {
	all := map[string]string{}
	for db := range 16 {
		require.NoError(t, o.eng.Do(db, func(tx *engine.Tx) error {
			var keys []string
			tx.KeyScan(0, engine.ScanOptions{Count: 1 << 30}, func(key []byte) { keys = append(keys, string(key)) })
			for _, key := range keys {
				at, _ := tx.ExpireAt([]byte(key))
				all[fmt.Sprintf("%d %s", db, key)] = fmt.Sprintf("%s %d", valueText(t, tx, []byte(key)), at)
			}
			return nil
		}))
	}
	return all
}

// valueText is the value at key.
func valueText(t *testing.T, tx *engine.Tx, key []byte) string {
	switch typ := tx.TypeOf(key); typ {
	case engine.TString:
		val, _, err := tx.String(key)
		require.NoError(t, err)
		return strconv.Quote(string(val))
	case engine.THash:
		var fields []string
		require.NoError(t, tx.HashEach(key, func(int) {}, func(field, value []byte, due engine.UnixMilli) bool {
			fields = append(fields, fmt.Sprintf("%q %q %d", field, value, due))
			return true
		}))
		slices.Sort(fields)
		return fmt.Sprint(fields)
	case engine.TList:
		var elems []string
		require.NoError(t, tx.ListRange(key, 0, -1, func(int) {}, func(elem []byte) bool {
			elems = append(elems, strconv.Quote(string(elem)))
			return true
		}))
		return fmt.Sprint(elems)
	case engine.TSet:
		var members []string
		require.NoError(t, tx.SetEach(key, func(int) {}, func(member []byte) bool {
			members = append(members, strconv.Quote(string(member)))
			return true
		}))
		slices.Sort(members)
		return fmt.Sprint(members)
	default:
		require.Fail(t, "unknown type", "%s", typ)
		return ""
	}
}

// Repeating the commands of all effects makes the same keyspace.
func TestEffectsRepeat(t *testing.T) {
	first, second, r := startOurs(t), startOurs(t), chance(t)
	h := first.eng.Lock()
	h.AddSink(&follower{t, second})
	h.Unlock()
	for i := range 300 {
		var story []string
		lines := grammar
		if i%3 == 0 {
			lines = fieldGrammar
		}
		if i%20 == 0 {
			h := first.eng.Lock()
			h.SetPacking(engine.Packing{HashEntries: int64(i % 7), HashValue: 64, SetInts: int64(i % 7), SetEntries: int64(i % 5), SetValue: 10, ListSize: i % 5})
			h.Unlock()
		}
		for range 30 {
			cmd := randomCommand(r, lines)
			if r.IntN(4) == 0 {
				first.db = r.IntN(3)
			}
			story = append(story, fmt.Sprint(first.db, " ", strings.Join(cmd, " ")))
			first.do(t, cmd)
		}
		require.Equal(t, first.dump(t), second.dump(t), "round %d:\n%s", i, strings.Join(story, "\n"))
	}
	require.NotEmpty(t, first.dump(t))
}
