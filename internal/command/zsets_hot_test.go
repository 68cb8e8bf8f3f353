package command_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// zsetHotLines are what rankings and indexes by time do all day, in sorted sets of many
// members and of few. %m is a member, %s its next score, %a and %b are not far from
// each other.
var zsetHotLines = []string{
	"ZADD z %s %m",
	"ZADD small %s m3",
	"ZINCRBY z 3.5 %m",
	"ZRANK z %m",
	"ZREVRANK z %m WITHSCORE",
	"ZSCORE z %m",
	"ZSCORE small m3",
	"ZRANGEBYSCORE z %a %b LIMIT 0 10",
	"ZRANGEBYSCORE z %a %b WITHSCORES LIMIT 0 10",
	"ZRANGE z %a %b BYSCORE LIMIT 0 10",
	"ZREVRANGE z 0 9 WITHSCORES",
	"ZRANGE small 0 -1 WITHSCORES",
	"ZCOUNT z %a %b",
	"ZCARD z",
}

func newZSetHot(t testing.TB, line string, members int) *hot {
	our := startOurs(t)
	h := &hot{eng: our.eng, row: our.rows[strings.Fields(line)[0]], out: resp.Reply{Proto: 2}}
	for i := range 10 {
		our.do(t, []string{"ZADD", "small", fmt.Sprint(i), fmt.Sprint("m", i)})
	}
	for i := range members {
		our.do(t, []string{"ZADD", "z", fmt.Sprint(uint32(i) * 2654435761 % 1_000_000), fmt.Sprintf("member:%06d", i)})
	}
	for i := range 2000 {
		n := uint32(i) * 40503
		var in command.Args
		for _, word := range strings.Fields(line) {
			word = strings.NewReplacer("%m", fmt.Sprintf("member:%06d", n%uint32(members)), "%s", fmt.Sprint(n*31%1_000_000),
				"%a", fmt.Sprint(n%1_000_000), "%b", fmt.Sprint(n%1_000_000+1000)).Replace(word)
			in = append(in, []byte(word))
		}
		h.argv = append(h.argv, in)
	}
	return h
}

func TestZSetHotPathAllocatesNothing(t *testing.T) {
	for _, line := range zsetHotLines {
		h := newZSetHot(t, line, 3000)
		for range 3000 {
			h.run(t)
		}
		require.Zero(t, testing.AllocsPerRun(5000, func() { h.run(t) }), line)
	}
}

func BenchmarkZSets(b *testing.B) {
	for _, line := range zsetHotLines {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			h := newZSetHot(b, line, 100_000)
			b.ReportAllocs()
			for b.Loop() {
				h.run(b)
			}
		})
	}
}

// dumpZSets is every sorted set.
func (o *ours) dumpZSets(t *testing.T) map[string]string {
	all := map[string]string{}
	require.NoError(t, o.eng.Do(0, func(tx *engine.Tx) error {
		var keys []string
		tx.KeyScan(0, engine.ScanOptions{Count: 1 << 30, Type: "zset"}, func(key []byte) { keys = append(keys, string(key)) })
		for _, key := range keys {
			text := ""
			require.NoError(t, tx.ZSetRange([]byte(key), &engine.All, func(int) {}, func(member []byte, score float64) bool {
				text += fmt.Sprintf("%q %v ", member, score)
				return true
			}))
			all[key] = text
		}
		return nil
	}))
	return all
}

// Repeating the commands of all effects makes the same sorted sets.
func TestZSetEffectsRepeat(t *testing.T) {
	first, second, r := startOurs(t), startOurs(t), chance(t)
	h := first.eng.Lock()
	h.AddSink(&follower{t, second})
	h.Unlock()
	words := zsetWords(r)
	for i := range 100 {
		var story []string
		for range 30 {
			cmd := draw(r, append(zsetGrammar, zsetLexGrammar...), words)
			story = append(story, strings.Join(cmd, " "))
			first.do(t, cmd)
		}
		require.Equal(t, first.dumpZSets(t), second.dumpZSets(t), "round %d:\n%q", i, story)
	}
	require.NotEmpty(t, first.dumpZSets(t))
}
