package command_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// SORT with random choices replies as a real server's, where the order is certain.
func TestSortAsRedis(t *testing.T) {
	peer, our, r := startPeer(t), startOurs(t), chance(t)
	our.listen()
	both := func(words ...string) {
		t.Helper()
		require.Equal(t, peer.do(t, words).reply, our.do(t, words).reply, "%q", words)
	}
	for i := range 600 {
		if i%10 == 0 {
			both("DEL", "l", "s", "z", "d")
			for range r.IntN(8) {
				e := sortElem(r)
				both("RPUSH", "l", e)
				both("SADD", "s", e)
				both("ZADD", "z", fmt.Sprint(r.IntN(5)), e)
				both("MSET", "w"+e, sortElem(r), "w"+e+"x", sortElem(r))
				both("HSET", "h"+e, "f", sortElem(r), "f->g", sortElem(r))
			}
		}
		words := randomSort(r)
		both(words...)
		both("LRANGE", "d", "0", "-1")
	}
}

func sortElem(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return fmt.Sprintf("%d.%de%d", r.IntN(3), r.IntN(100), r.IntN(5)-2)
	case 1:
		return pick(r, " 1", "\t2", " ", "\v3", "0x10p-2", "9007199254740993", "9223372036854775807", "nan", "inf", "a", "b")
	}
	return fmt.Sprint(r.IntN(30))
}

// randomSort is a SORT whose order does not depend on a hash table or on how a server
// sorts what is alike.
func randomSort(r *rand.Rand) []string {
	words := []string{pick(r, "SORT", "SORT_RO", "sort"), pick(r, "l", "s", "z", "w1", "none")}
	by, alpha, limit := false, false, false
	pattern := func() string {
		return pick(r, "w*", "w*x", "h*->f", "h*->", "h*->f->g", "*", "**", "w", "", "#", "h->*", "*->f", "h*-", "l*", "->*", "x->y*z->f", "w*->f")
	}
	bound := func() string {
		return pick(r, "0", "1", "2", "-1", "5", "9223372036854775807", "-9223372036854775808", "x")
	}
	for range r.IntN(5) {
		switch r.IntN(8) {
		case 0:
			words, limit = append(words, "LIMIT", bound(), bound()), true
		case 1, 2:
			words, by = append(words, "BY", pattern()), true
		case 3:
			words = append(words, "GET", pattern())
		case 4:
			words = append(words, pick(r, "DESC", "ASC"))
		case 5, 6:
			words, alpha = append(words, "ALPHA"), true
		case 7:
			words = append(words, "STORE", "d")
		}
	}
	if by && (words[1] == "s" || alpha && (words[1] == "z" || limit)) {
		return slices.DeleteFunc(words, func(w string) bool { return w == "BY" }) // a syntax error, or none
	}
	return words
}
