package difftest

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"coatcheck/internal/realredis"
	"coatcheck/internal/server/servertest"
	"coatcheck/resp"
)

// readAll is how each type is read whole, by its name.
var readAll = map[string][]string{
	"string": {"GET"}, "zset": {"ZRANGE", "0", "-1", "WITHSCORES"}, "list": {"LRANGE", "0", "-1"},
	"set": {"SMEMBERS"}, "hash": {"HGETALL"}, "stream": {"XINFO STREAM", "FULL", "COUNT", "0"},
}

// read is the whole value at key.
func read(t fataler, p *peer, typ, key string) resp.Value {
	how := readAll[typ]
	argv := append(strings.Fields(how[0]), key)
	v, err := p.do(append(argv, how[1:]...)...)
	if err != nil || v.IsError() {
		t.Fatalf("%s %q: %s %v", how[0], key, v, err)
	}
	return v
}

// What one server dumps the other restores: random commands are run on both, then
// every key goes from each to the other under another name.
func TestDumpsAreInterchangeable(t *testing.T) {
	srv := servertest.Start(t, nil)
	real := realredis.Start(t)
	p := pair{dial(t, "tcp", srv.Addr().String()), dial(t, "unix", real.Socket)}
	all := commands()
	rapid.Check(t, func(t *rapid.T) {
		p.do(t, "FLUSHALL")
		p.do(t, "SELECT", "0")
		g := &generator{all: all, now: time.Now(), last: 1000}
		for range rapid.IntRange(20, 120).Draw(t, "commands") {
			p.do(t, g.command(t)...)
		}
		p.do(t, "SELECT", "0")
		for _, key := range keys {
			typ, err := p.ours.do("TYPE", key)
			if err != nil || typ.Text == "none" {
				continue
			}
			carry(t, p.ours, p.theirs, typ.Text, key)
			carry(t, p.theirs, p.ours, typ.Text, key)
		}
	})
}

// carry takes key from one server to the other and compares.
func carry(t fataler, from, to *peer, typ, key string) {
	dump, err := from.do("DUMP", key)
	if err != nil || dump.IsError() {
		t.Fatalf("DUMP %q: %s %v", key, dump, err)
	}
	ok, err := to.do("RESTORE", "carried", "0", dump.Text, "REPLACE")
	if err != nil || ok.IsError() {
		t.Fatalf("RESTORE of the %s %q, %q: %s %v", typ, key, dump.Text, ok, err)
	}
	was, is := read(t, from, typ, key), read(t, to, typ, "carried")
	equal := same(append(strings.Fields(readAll[typ][0]), key), was, is)
	if typ == "set" || typ == "hash" {
		equal = sameSet(was, is)
	}
	if !equal {
		t.Fatalf("the %s %q was\n%s\nand is\n%s", typ, key, was, is)
	}
}
