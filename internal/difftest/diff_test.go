package difftest

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"coatcheck/internal/realredis"
	"coatcheck/internal/server/servertest"
	"coatcheck/resp"
)

// peer is a connection to one of the two.
type peer struct {
	net.Conn
	dec *resp.Decoder
}

func dial(t testing.TB, network, addr string) *peer {
	conn, err := net.Dial(network, addr)
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Minute)))
	t.Cleanup(func() { conn.Close() })
	return &peer{conn, resp.NewDecoder(conn)}
}

// do asks for one reply.
func (p *peer) do(argv ...string) (resp.Value, error) {
	if _, err := p.Write(resp.AppendCommand(nil, argv...)); err != nil {
		return resp.Value{}, err
	}
	return p.dec.Decode()
}

// pair is ours and theirs, asked the same.
type pair struct{ ours, theirs *peer }

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Fatalf(format string, args ...any)
}

// do asks both.
func (p pair) do(t fataler, argv ...string) (ours, theirs resp.Value) {
	ours, err := p.ours.do(argv...)
	if err != nil {
		t.Fatalf("ours, %q: %v", argv, err)
	}
	theirs, err = p.theirs.do(argv...)
	if err != nil {
		t.Fatalf("theirs, %q: %v", argv, err)
	}
	return ours, theirs
}

// compare asks both, and fails where they differ.
func (p pair) compare(t fataler, so []string, argv []string) {
	ours, theirs := p.do(t, argv...)
	if !same(argv, ours, theirs) {
		t.Fatalf("as a transcript:\n%s> %s\n< %.1000s\nours: %.1000s", strings.Join(so, ""), line(argv), theirs, ours)
	}
}

// line writes a command as transcripts have it.
func line(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = a
		if q := strconv.Quote(a); a == "" || q != `"`+a+`"` || strings.ContainsAny(a, " `") {
			words[i] = q
		}
	}
	return strings.Join(words, " ")
}

// Random commands get the same replies from ours and from a real server, and
// leave the same keys.
func TestSameReplies(t *testing.T) {
	srv := servertest.Start(t, nil)
	real := realredis.Start(t)
	setSmall(t, pair{dial(t, "tcp", srv.Addr().String()), dial(t, "unix", real.Socket)})
	all := commands()
	for _, proto := range []string{"2", "3"} {
		t.Run("RESP"+proto, func(t *testing.T) {
			p := pair{dial(t, "tcp", srv.Addr().String()), dial(t, "unix", real.Socket)}
			p.do(t, "HELLO", proto)
			rapid.Check(t, func(t *rapid.T) {
				p.do(t, "FLUSHALL")
				p.do(t, "SELECT", "0")
				g := &generator{all: all, now: time.Now(), last: 1000}
				var so []string
				for range rapid.IntRange(1, 60).Draw(t, "commands") {
					argv := g.command(t)
					p.compare(t, so, argv)
					so = append(so, "> "+line(argv)+"\n")
				}
				p.compareKeys(t, so)
			})
		})
	}
}

// setSmall has both keep collections as large ones early. No command that is drawn has
// more elements than go into a small one, as 7.2 counts these beforehand.
func setSmall(t *testing.T, p pair) {
	for name, value := range map[string]string{
		"zset-max-listpack-entries": "5", "zset-max-listpack-value": "50", "hash-max-listpack-entries": "5", "hash-max-listpack-value": "50",
		"set-max-intset-entries": "5", "list-max-listpack-size": "4",
	} {
		ours, theirs := p.do(t, "CONFIG", "SET", name, value)
		require.Equal(t, ours.String(), theirs.String())
	}
	for name, value := range map[string]string{"set-max-listpack-entries": "5", "set-max-listpack-value": "50"} {
		ok, err := p.ours.do("CONFIG", "SET", name, value) // since 7.2
		require.NoError(t, err)
		require.Equal(t, "OK", ok.Text)
	}
}

// compareKeys compares what is left in the selected db, and in db 0.
func (p pair) compareKeys(t fataler, so []string) {
	for range 2 {
		p.compare(t, so, []string{"DBSIZE"})
		p.compare(t, so, []string{"KEYS", "*"})
		for _, k := range keys {
			for _, ask := range [][]string{{"TYPE", k}, {"GET", k}, {"PTTL", k}, {"OBJECT", "ENCODING", k}, {"STRLEN", k},
				{"ZRANGE", k, "0", "-1", "WITHSCORES"}, {"HGETALL", k},
				{"LRANGE", k, "0", "-1"}, {"SMEMBERS", k}} {
				p.compare(t, so, ask)
			}
		}
		p.scanAll(t)
		p.do(t, "SELECT", "0")
		so = append(so, "> SELECT 0\n")
	}
}

// scanAll walks both to the end: each gives all keys, once or more.
func (p pair) scanAll(t fataler) {
	for _, options := range [][]string{nil, {"COUNT", "1"}, {"MATCH", "k:*"}, {"TYPE", "string"}, {"TYPE", "list"}} {
		ours, theirs := scan(t, p.ours, options), scan(t, p.theirs, options)
		if !slices.Equal(ours, theirs) {
			t.Fatalf("SCAN %q: ours %q, theirs %q", options, ours, theirs)
		}
	}
}

func scan(t fataler, p *peer, options []string) []string {
	var found []string
	cursor := "0"
	for range 10000 {
		v, err := p.do(append([]string{"SCAN", cursor}, options...)...)
		if err != nil || len(v.Elems) != 2 {
			t.Fatalf("SCAN %s %q: %s %v", cursor, options, v, err)
		}
		for _, k := range v.Elems[1].Elems {
			found = append(found, k.Text)
		}
		if cursor = v.Elems[0].Text; cursor == "0" {
			slices.Sort(found)
			return slices.Compact(found)
		}
	}
	t.Fatalf("SCAN does not end")
	return nil
}

// Every command and subcommand that ours knows refuses what a real server
// refuses, in the same words, when it is called with nothing, with too little,
// with too much and with nonsense.
func TestSameRefusals(t *testing.T) {
	srv := servertest.Start(t, nil)
	real := realredis.Start(t)
	waits := waiting()
	for _, name := range names(t, dial(t, "tcp", srv.Addr().String())) {
		if why := incomparable[strings.Join(name, " ")]; why != "" {
			continue
		}
		p := pair{dial(t, "tcp", srv.Addr().String()), dial(t, "unix", real.Socket)}
		for _, word := range []string{"x", "1", "-1", ""} {
			if word == "1" && waits[name[0]] {
				continue
			}
			for n := range 7 {
				argv := slices.Clone(name)
				for i := range n {
					argv = append(argv, word+strings.Repeat("0", i))
				}
				p.compareRefusal(t, argv)
			}
		}
	}
}

// compareRefusal compares errors. What is no error may tell of the server.
func (p pair) compareRefusal(t *testing.T, argv []string) {
	ours, theirs := p.do(t, argv...)
	if (ours.IsError() || theirs.IsError()) && !same(argv, ours, theirs) {
		t.Errorf("> %s\n< %s\nours: %s", line(argv), theirs, ours)
	}
}

// names lists all commands that ours has, and those containers' subcommands.
func names(t *testing.T, ours *peer) (all [][]string) {
	list, err := ours.do("COMMAND")
	require.NoError(t, err)
	for _, info := range list.Elems {
		name := strings.ToUpper(info.Elems[0].Text)
		all = append(all, []string{name})
		for _, sub := range info.Elems[9].Elems {
			_, word, _ := strings.Cut(strings.ToUpper(sub.Elems[0].Text), "|")
			all = append(all, []string{name, word})
		}
	}
	require.NotEmpty(t, all)
	return all
}
