package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/internal/propagate"
)

// stream is a sink as those have it who propagate.
type stream struct {
	enc propagate.Encoder
	out []byte
}

func (s *stream) Wants() engine.Wants                   { return engine.Wants{Argv: true} }
func (s *stream) Effect(_ *engine.Tx, e *engine.Effect) { s.enc.Effect(e) }
func (s *stream) EndUnit(*engine.Tx)                    { s.out = s.enc.AppendUnit(s.out) }
func (s *stream) take() (out string)                    { out, s.out = string(s.out), nil; return out }
func words(list ...string) (argv [][]byte) {
	for _, w := range list {
		argv = append(argv, []byte(w))
	}
	return argv
}

func command(list ...string) string {
	return string(propagate.AppendCommand(nil, words(list...)...))
}

func TestUnits(t *testing.T) {
	e := enginetest.New(t)
	s := &stream{}
	h := e.Lock()
	h.AddSink(s)
	h.Unlock()
	set := func(tx *engine.Tx, key string) error {
		_, err := tx.StringSet([]byte(key), []byte("v"), engine.SetOptions{})
		return err
	}
	unit := func(db int, keys ...string) {
		require.NoError(t, e.Do(db, func(tx *engine.Tx) error {
			for _, key := range keys {
				require.NoError(t, set(tx, key))
			}
			return nil
		}))
	}
	unit(0, "a")
	require.Equal(t, command("SELECT", "0")+command("SET", "a", "v"), s.take())
	unit(0, "b", "c")
	require.Equal(t, propagate.Multi+command("SET", "b", "v")+command("SET", "c", "v")+propagate.Exec, s.take())
	unit(3, "d", "e")
	require.Equal(t, propagate.Multi+command("SELECT", "3")+command("SET", "d", "v")+command("SET", "e", "v")+propagate.Exec, s.take())
	require.NoError(t, e.Do(3, func(tx *engine.Tx) error { return nil }))
	require.Empty(t, s.take())
	s.enc.Reset()
	unit(3, "f")
	require.Equal(t, command("SELECT", "3")+command("SET", "f", "v"), s.take())
}
