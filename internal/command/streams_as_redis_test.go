package command_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/realredis"
)

// streamStory draws commands on two streams, their groups and consumers.
type streamStory struct {
	r    *rand.Rand
	last int
}

func (s *streamStory) key() string      { return pick(s.r, "s", "s", "s", "t", "none") }
func (s *streamStory) group() string    { return pick(s.r, "g", "g", "h", "nogroup") }
func (s *streamStory) consumer() string { return pick(s.r, "alice", "bob", "carol") }

// id is one that may be there.
func (s *streamStory) id() string {
	return fmt.Sprintf("%d-%d", s.r.IntN(s.last+2), s.r.IntN(3))
}

func (s *streamStory) bound() string {
	id := pick(s.r, "-", "+", s.id(), s.id(), strconv.Itoa(s.r.IntN(s.last+2)), "18446744073709551615-18446744073709551615", "0-0")
	return pick(s.r, "", "", "(") + id
}

func (s *streamStory) trim() []string {
	args := []string{pick(s.r, "MAXLEN", "MAXLEN", "MINID"), pick(s.r, "~", "=", "")}
	if args[1] == "" {
		args = args[:1]
	}
	if args[0] == "MINID" {
		args = append(args, s.id())
	} else {
		args = append(args, strconv.Itoa(s.r.IntN(40)))
	}
	if args[1] == "~" && s.r.IntN(2) == 0 {
		args = append(args, "LIMIT", strconv.Itoa(s.r.IntN(20)))
	}
	return args
}

func (s *streamStory) add() []string {
	s.last += s.r.IntN(3)
	cmd := []string{"XADD", s.key()}
	if s.r.IntN(6) == 0 {
		cmd = append(cmd, "NOMKSTREAM")
	}
	if s.r.IntN(8) == 0 {
		cmd = append(cmd, s.trim()...)
	}
	cmd = append(cmd, pick(s.r, fmt.Sprintf("%d-*", s.last), fmt.Sprintf("%d-%d", s.last, s.r.IntN(9)), strconv.Itoa(s.last+1)))
	fields := pick(s.r, []string{"f"}, []string{"f", "g"}, []string{"f", "g", "h"}, []string{"100"})
	for _, f := range fields {
		cmd = append(cmd, f, pick(s.r, "", "v", "12", "-5", "70000", strings.Repeat("x", s.r.IntN(200)), "9999999999999"))
	}
	return cmd
}

func (s *streamStory) ids() (ids []string) {
	for range 1 + s.r.IntN(4) {
		ids = append(ids, s.id())
	}
	return ids
}

func (s *streamStory) claim() []string {
	cmd := append([]string{"XCLAIM", s.key(), s.group(), s.consumer(), pick(s.r, "0", "0", "100000")}, s.ids()...)
	for _, opt := range [][]string{{"FORCE"}, {"JUSTID"}, {"RETRYCOUNT", "7"}, {"TIME", "1000"}, {"IDLE", "5000000"}, {"LASTID", s.id()}} {
		if s.r.IntN(4) == 0 {
			cmd = append(cmd, opt...)
		}
	}
	return cmd
}

func (s *streamStory) read() []string {
	cmd := []string{"XREAD"}
	last := pick(s.r, "$", s.id(), s.id())
	if s.r.IntN(4) > 0 {
		cmd = []string{"XREADGROUP", "GROUP", s.group(), s.consumer()}
		last = pick(s.r, ">", ">", "0", s.id())
		if s.r.IntN(4) == 0 {
			cmd = append(cmd, "NOACK")
		}
	}
	if s.r.IntN(2) == 0 {
		cmd = append(cmd, "COUNT", strconv.Itoa(s.r.IntN(5)))
	}
	if s.r.IntN(5) == 0 {
		return append(cmd, "STREAMS", "s", "t", last, last)
	}
	return append(cmd, "STREAMS", s.key(), last)
}

func (s *streamStory) other() []string {
	k, g := s.key(), s.group()
	switch s.r.IntN(14) {
	case 0:
		return append([]string{"XTRIM", k}, s.trim()...)
	case 1, 2, 3:
		return append([]string{"XDEL", k}, s.ids()...)
	case 4:
		return append([]string{"XACK", k, g}, s.ids()...)
	case 5:
		return []string{"XGROUP", "CREATE", k, g, pick(s.r, "0", "$", s.id()), pick(s.r, "MKSTREAM", "mkstream", "x")}
	case 6:
		return []string{"XGROUP", "SETID", k, g, pick(s.r, "0", "$", s.id(), "-", "+"), "ENTRIESREAD", strconv.Itoa(s.r.IntN(30) - 2)}
	case 7:
		return []string{"XGROUP", pick(s.r, "CREATECONSUMER", "CREATECONSUMER", "DELCONSUMER"), k, g, s.consumer()}
	case 8:
		if s.r.IntN(4) > 0 {
			return []string{"XGROUP", "CREATE", k, g, "0"}
		}
		return []string{"XGROUP", "DESTROY", k, g}
	case 9:
		cmd := []string{"XSETID", k, s.id()}
		if s.r.IntN(2) == 0 {
			cmd = append(cmd, "ENTRIESADDED", strconv.Itoa(s.r.IntN(100)))
		}
		if s.r.IntN(3) == 0 {
			cmd = append(cmd, "MAXDELETEDID", s.id())
		}
		return cmd
	case 10:
		cmd := []string{"XAUTOCLAIM", k, g, s.consumer(), pick(s.r, "0", "100000"), s.bound()}
		if s.r.IntN(2) == 0 {
			cmd = append(cmd, "COUNT", strconv.Itoa(s.r.IntN(4)))
		}
		if s.r.IntN(3) == 0 {
			cmd = append(cmd, "JUSTID")
		}
		return cmd
	case 11:
		return []string{"XPENDING", k, g}
	case 12:
		return []string{"COPY", k, "t", "REPLACE"}
	}
	return pick(s.r, []string{"XRANGE", k, s.bound(), s.bound()}, []string{"XREVRANGE", k, s.bound(), s.bound(), "COUNT", strconv.Itoa(s.r.IntN(4) - 1)}, []string{"XLEN", k})
}

func (s *streamStory) command() []string {
	switch s.r.IntN(10) {
	case 0, 1, 2, 3:
		return s.add()
	case 4, 5:
		return s.read()
	case 6:
		return s.claim()
	}
	return s.other()
}

// withConsumers makes the consumers of a command beforehand, which 7.2 always does,
// and 7.0 only when they get something.
func withConsumers(cmd []string) (all [][]string) {
	switch cmd[0] {
	case "XREADGROUP":
		for _, key := range []string{"s", "t", "none"} {
			all = append(all, []string{"XGROUP", "CREATECONSUMER", key, cmd[2], cmd[3]})
		}
	case "XCLAIM", "XAUTOCLAIM":
		all = append(all, []string{"XGROUP", "CREATECONSUMER", cmd[1], cmd[2], cmd[3]})
	}
	return append(all, cmd)
}

// What a stream tells of itself, without the figures that 7.0 does not have and the
// times of two clocks.
var (
	newFigures = regexp.MustCompile(`\$11\r\nactive-time\r\n:-?\d+\r\n|\$8\r\ninactive\r\n:-?\d+\r\n`)
	mapSizes   = regexp.MustCompile(`\*(\d+)\r\n\$4\r\nname`)
	clockTimes = regexp.MustCompile(`:17\d{11}\r\n|\$4\r\nidle\r\n:\d+\r\n`)
)

func comparable70(reply string) string {
	for _, r := range []*regexp.Regexp{newFigures, clockTimes} {
		reply = r.ReplaceAllString(reply, "")
	}
	return mapSizes.ReplaceAllString(reply, "*$4\r\nname")
}

// Random stories on streams: replies and what is left are as a real server's, and so
// are the bytes of nodes.
func TestStreamsAsRedis(t *testing.T) {
	srv, our, r := realredis.Start(t, "--rdbcompression", "no"), startOurs(t), chance(t)
	for round := range 20 {
		bytes, entries := pick(r, 4096, 300, 0), pick(r, 100, 3, 10, 0)
		srv.Do(t, "FLUSHALL")
		our.do(t, []string{"FLUSHALL"})
		require.Equal(t, "+OK\r\n", srv.Do(t, "CONFIG", "SET", "stream-node-max-bytes", strconv.Itoa(bytes), "stream-node-max-entries", strconv.Itoa(entries)))
		h := our.eng.Lock()
		p := engine.DefaultPacking
		p.StreamBytes, p.StreamEntries = int64(bytes), int64(entries)
		h.SetPacking(p)
		h.Unlock()
		s := &streamStory{r: r, last: 1}
		story := fmt.Sprintf("%d bytes, %d entries", bytes, entries)
		for range 150 {
			for _, cmd := range withConsumers(s.command()) {
				story += "\n" + strings.Join(cmd, " ")
				reply := our.do(t, cmd).reply
				if strings.Contains(reply, errs.StreamSetIDBelowDeleted.Text) { // since 7.2
					continue
				}
				require.Equal(t, comparable70(srv.Do(t, cmd...)), comparable70(reply), "round %d: %s", round, story)
			}
		}
		for _, key := range []string{"s", "t", "none"} {
			for _, ask := range [][]string{
				{"XINFO", "STREAM", key}, {"XINFO", "STREAM", key, "FULL", "COUNT", "0"}, {"XINFO", "GROUPS", key},
				{"XRANGE", key, "-", "+"}, {"XREVRANGE", key, "+", "-"}, {"XINFO", "CONSUMERS", key, "g"}, {"OBJECT", "ENCODING", key},
			} {
				require.Equal(t, comparable70(srv.Do(t, ask...)), comparable70(our.do(t, ask).reply), "%q after %s", ask, story)
			}
			dump := srv.Text(t, "DUMP", key)
			require.NoError(t, our.eng.Do(0, func(tx *engine.Tx) error {
				st, err := tx.Stream([]byte(key))
				if err == nil && st.Exists() {
					st.EachNode(func(_ engine.StreamID, lp []byte) { require.Contains(t, dump, string(lp), story) })
				}
				return err
			}))
		}
		h = our.eng.Lock()
		require.NoError(t, h.CheckInvariants(), story)
		h.Unlock()
	}
}
