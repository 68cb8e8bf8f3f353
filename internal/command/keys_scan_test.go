package command_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// KEYS over many keys works in slices, between which others run, and replies
// with every key that was there all the time.
func TestKeysInSlices(t *testing.T) {
	const n = 20_000
	our := startOurs(t)
	require.NoError(t, our.eng.Do(0, func(tx *engine.Tx) error {
		for i := range n {
			for _, prefix := range []string{"stays", "goes", "other"} {
				_, err := tx.StringSet(fmt.Appendf(nil, "%s:%d", prefix, i), []byte("v"), engine.SetOptions{})
				require.NoError(t, err)
			}
		}
		return nil
	}))
	out := &resp.Reply{Proto: 2}
	var more *command.More
	require.NoError(t, our.eng.Do(0, func(tx *engine.Tx) error {
		err := our.rows["KEYS"].Run(tx, command.Args{[]byte("KEYS"), []byte("[gs]*:*")}, out)
		require.True(t, errors.As(err, &more), "%v", err)
		return nil
	}))
	require.Zero(t, out.Len())

	steps := 0
	for done := false; !done; steps++ {
		before := out.Len()
		require.NoError(t, our.eng.Do(0, func(tx *engine.Tx) (err error) {
			done, err = more.Step(tx, out)
			return err
		}))
		require.Less(t, out.Len()-before, 1100*len("$10\r\nstays:12345\r\n"), "a slice replies with about a thousand keys")
		require.NoError(t, our.eng.Do(0, func(tx *engine.Tx) error {
			for i := steps * 100; i < steps*100+100; i++ {
				tx.Delete("DEL", fmt.Appendf(nil, "goes:%d", i))
			}
			return nil
		}))
	}
	require.Greater(t, steps, 3*n/1500, "slices")

	reply, err := resp.NewDecoder(bytes.NewReader(out.Bytes())).Decode()
	require.NoError(t, err)
	found := map[string]int{}
	for _, key := range reply.Elems {
		found[key.Text]++
	}
	goes := 0
	for i := range n {
		require.Equal(t, 1, found[fmt.Sprintf("stays:%d", i)])
		goes += found[fmt.Sprintf("goes:%d", i)]
	}
	require.Len(t, found, n+goes, "nothing twice, nothing else")
	require.NotZero(t, goes)
}

// A pattern that takes long makes slices of few keys, and long keys such of few
// bytes.
func TestKeysSlicesAreShort(t *testing.T) {
	const n, size = 400, 2000
	our := startOurs(t)
	require.NoError(t, our.eng.Do(0, func(tx *engine.Tx) error {
		for i := range n {
			_, err := tx.StringSet(fmt.Appendf(nil, "%s%04d", bytes.Repeat([]byte("a"), size-4), i), nil, engine.SetOptions{})
			require.NoError(t, err)
		}
		return nil
	}))
	steps := func(pattern string, each func(written int)) (n int) {
		out := &resp.Reply{Proto: 2}
		w := command.NewKeysWalk([]byte(pattern))
		for done := false; !done; n++ {
			before := out.Len()
			require.NoError(t, our.eng.Do(0, func(tx *engine.Tx) (err error) {
				done, err = w(tx, out)
				return err
			}))
			each(out.Len() - before)
		}
		return n
	}
	require.Greater(t, steps("*"+strings.Repeat("a", 500)+"b", func(int) {}), n/20)
	steps("*", func(written int) { require.Less(t, written, 140_000) })
}
