package command_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/resp"
)

// After the same commands a HyperLogLog has the bytes that a real server's has: sparse
// ones, those that become dense, and merged ones.
func TestHyperLogLogsAreRedis(t *testing.T) {
	peer, our, r := startPeer(t), startOurs(t), chance(t)
	our.listen()
	both := func(words ...string) {
		t.Helper()
		require.Equal(t, peer.do(t, words), our.do(t, words), "%q", words)
	}
	for i := range 800 {
		key := fmt.Sprint("h", r.IntN(4))
		words := []string{"PFADD", key}
		for range r.IntN(1 + r.IntN(60)) {
			words = append(words, fmt.Sprint("e", r.IntN(1+r.IntN(1<<20))))
		}
		switch r.IntN(12) {
		case 0:
			words = []string{"PFCOUNT", key}
		case 1:
			words = []string{"PFCOUNT", key, fmt.Sprint("h", r.IntN(6)), "h0"}
		case 2:
			words = []string{"PFMERGE", fmt.Sprint("m", r.IntN(3)), key, fmt.Sprint("h", r.IntN(6))}
		case 3:
			words = []string{"PFDEBUG", pick(r, "ENCODING", "DECODE", "FOO", "TODENSE"), fmt.Sprint("m", r.IntN(3))}
		case 4:
			if r.IntN(6) == 0 {
				words = []string{"DEL", key}
			}
		}
		both(words...)
		if i%10 == 0 {
			both("GET", key)
			both("GET", fmt.Sprint("m", r.IntN(3)))
		}
	}
	for _, key := range []string{"h0", "h1", "h2", "h3", "m0", "m1", "m2"} {
		both("GET", key)
		both("PFDEBUG", "TODENSE", key) // as GETREG does too, but a real server's repeats it by its own name
		both("PFDEBUG", "GETREG", key)
	}
}

// Strings that are changed HyperLogLogs are refused, or can be used like any other.
func TestMutatedHyperLogLogsDoNoHarm(t *testing.T) {
	o := startOurs(t)
	r := rand.New(rand.NewPCG(3, 3))
	words := []string{"PFADD", "h"}
	for i := range 300 {
		words = append(words, fmt.Sprint("e", i))
	}
	o.do(t, words)
	sparse := bulk(t, o, "GET", "h")
	o.do(t, []string{"PFDEBUG", "TODENSE", "h"})
	dense := bulk(t, o, "GET", "h")
	attacks := []string{
		"HYLL\x01" + strings.Repeat("\x00", 11), "HYLL\x01" + strings.Repeat("\x00", 11) + "\x7f", "HYLL\x01" + strings.Repeat("\x00", 11) + strings.Repeat("\x7f\xff", 3),
		"HYLL\x01" + strings.Repeat("\x00", 11) + "\x7f\xff\x80", "HYLL\x01" + strings.Repeat("\x00", 11) + strings.Repeat("\x7f\xff", 200_000) + "\xff", "HYLL\x02" + strings.Repeat("\x00", 20), "HYLL",
		"HYLL\x01" + strings.Repeat("\x00", 10) + "\x80\x7f\xff",
	}
	for i := range 1200 {
		var b string
		switch {
		case i < len(attacks):
			b = attacks[i]
		case i%3 == 0:
			b = string(mutate(r, []byte(dense)))
		default:
			b = string(mutate(r, []byte(sparse)))
		}
		o.do(t, []string{"SET", "x", b})
		o.do(t, []string{"DEL", "y"})
		for _, cmd := range [][]string{
			{"PFADD", "x", fmt.Sprint("f", i)}, {"PFCOUNT", "x"}, {"PFCOUNT", "x", "h"}, {"PFMERGE", "y", "x"}, {"PFMERGE", "x", "h"}, {"PFDEBUG", "DECODE", "x"}, {"PFDEBUG", "GETREG", "x"},
		} {
			_ = o.try(cmd...)
		}
	}
	h := o.eng.Lock()
	defer h.Unlock()
	require.NoError(t, h.CheckInvariants())
}

// bulk is the string that a command replies with.
func bulk(t *testing.T, o *ours, words ...string) string {
	v, err := resp.NewDecoder(strings.NewReader(o.do(t, words).reply)).Decode()
	require.NoError(t, err)
	return v.Text
}
