package command

import (
	"fmt"
	"strings"
	"testing"
)

// tell writes arguments in a short form: name/type, @token, ? optional,
// * multiple, ** multiple with its token, #key spec, {sub arguments}.
func tell(args []Arg) string {
	parts := make([]string, len(args))
	for i, a := range args {
		s := fmt.Sprintf("%s/%s", a.Name, a.Type)
		if a.Display != a.Name && a.Display != "" {
			s += "=" + a.Display
		}
		if a.Token != "" {
			s += "@" + a.Token
		}
		if a.KeySpec >= 0 {
			s += fmt.Sprintf("#%d", a.KeySpec)
		}
		if a.Optional {
			s += "?"
		}
		if a.Multiple {
			s += "*"
		}
		if a.MultipleToken {
			s += "*"
		}
		if len(a.Args) > 0 {
			s += "{" + tell(a.Args) + "}"
		}
		parts[i] = s
	}
	return strings.Join(parts, " ")
}

func TestParseSyntax(t *testing.T) {
	for _, c := range []struct {
		line  string
		specs int
		tree  string
		usage string
	}{
		{"", 0, "", ""},
		{"key", 1, "key/key#0", "key"},
		{"source:key destination:key", 2, "source/key#0 destination/key#1", "source destination"},
		{"key1:key key2:key", 1, "key1/key#0 key2/key#0", "key1 key2"},
		{"key...", 1, "key/key#0*", "key [key ...]"},
		{"key [BY pattern:pattern#1] [GET pattern:pattern#1]... [STORE destination:key#2]", 3,
			"key/key#0 pattern/pattern@BY#1? pattern/pattern@GET#1?** destination/key@STORE#2?",
			"key [BY pattern] [GET pattern [GET pattern ...]] [STORE destination]"},
		{"data:(key value)...", 1, "data/block*{key/key#0 value/string}", "key value [key value ...]"},
		{"key value condition:[NX | XX] [GET]", 1,
			"key/key#0 value/string condition/oneof?{nx/pure-token@NX xx/pure-token@XX} get/pure-token@GET?",
			"key value [NX | XX] [GET]"},
		{"expiration:[EX seconds:integer | PXAT at:unix-time | KEEPTTL]", 0,
			"expiration/oneof?{seconds/integer@EX at/unix-time@PXAT keepttl/pure-token@KEEPTTL}",
			"[EX seconds | PXAT at | KEEPTTL]"},
		{"[LIMIT offset:integer count:integer]", 0,
			"limit/block@LIMIT?{offset/integer count/integer}", "[LIMIT offset count]"},
		{"[LIMIT (offset:integer count:integer)]", 0,
			"limit/block@LIMIT?{offset/integer count/integer}", "[LIMIT offset count]"},
		{"[COUNT count:integer [ANY]]", 0,
			"count-any/block?{count/integer@COUNT any/pure-token@ANY?}", "[COUNT count [ANY]]"},
		{"[GET pattern:pattern]...", 0, "pattern/pattern@GET?**", "[GET pattern [GET pattern ...]]"},
		{"[ID client-id:integer...]", 0, "client-id/integer@ID?*", "[ID client-id [client-id ...]]"},
		{"arguments:[protover:integer [AUTH username password] [SETNAME clientname]]", 0,
			"arguments/block?{protover/integer auth/block@AUTH?{username/string password/string} clientname/string@SETNAME?}",
			"[protover [AUTH username password] [SETNAME clientname]]"},
		{"filter:<old=ip:port | new:<ID id:integer | TYPE <NORMAL | PUBSUB>>...>", 0,
			"filter/oneof{old/string=ip:port new/oneof*{id/integer@ID type/oneof@TYPE{normal/pure-token@NORMAL pubsub/pure-token@PUBSUB}}}",
			"<ip:port | ID id | TYPE <NORMAL | PUBSUB> [ID id | TYPE <NORMAL | PUBSUB> ...]>"},
		{"<ON | OFF>", 0, "on-off/oneof{on/pure-token@ON off/pure-token@OFF}", "<ON | OFF>"},
		{"[= | ~] id:string", 0, "=-~/oneof?{=/pure-token@= ~/pure-token@~} id/string", "[= | ~] id"},
	} {
		args, err := ParseSyntax(c.line, c.specs)
		if err != nil {
			t.Errorf("%q: %v", c.line, err)
			continue
		}
		if got := tell(args); got != c.tree {
			t.Errorf("%q:\n got %s\nwant %s", c.line, got, c.tree)
		}
		if got := Usage(args); got != c.usage {
			t.Errorf("%q: usage\n got %s\nwant %s", c.line, got, c.usage)
		}
	}
}

func TestParseSyntaxRefuses(t *testing.T) {
	for line, why := range map[string]string{
		"[NX":        `no "]" for "["`,
		"NX]":        `unexpected "]"`,
		"[]":         `nothing between "[" and "]"`,
		"<a | >":     `nothing between "<" and ">"`,
		"a | b":      `unexpected "|"`,
		"...":        `unexpected "..."`,
		"n:number":   `no type "number"`,
		"k:key#x":    `no key spec "x"`,
		"limit: a":   `"limit:" names no bracket`,
		"(a b":       `no ")" for "("`,
		"a ...  ...": `unexpected "..."`,
	} {
		if _, err := ParseSyntax(line, 0); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: got %v, want %s", line, err, why)
		}
	}
}
