package commandtest

import (
	"strings"
	"testing"

	"coatcheck/internal/command"
	"coatcheck/internal/realredis"
	"coatcheck/resp"
)

// CompareKeysWithRedis asks a real redis-server for the keys in calls of every
// command of the directory, with few and many arguments, and reports what run,
// which answers COMMAND GETKEYSANDFLAGS of ours, says otherwise.
func CompareKeysWithRedis(t *testing.T, dir *command.Directory, run func(call command.Args, out *resp.Reply) error) {
	peer := realredis.Start(t)
	theirs := ask(t, peer, "info")
	for _, top := range dir.All() {
		for _, c := range append([]*command.Info{top}, top.Subs...) {
			if _, known := theirs[c.Full]; !known {
				continue
			}
			for _, words := range callWords {
				call := append(strings.Split(c.Full, "|"), words...)
				if most := longer[c.Full]; len(call) < 2 || most > 0 && len(call) > most { // 7.0 refuses these
					continue
				}
				compareCall(t, peer, call, run)
			}
		}
	}
}

// callWords is what calls are tried with.
var callWords = [][]string{
	nil, {"a"}, {"a", "b"}, {"a", "GET"}, {"a", "b", "get"}, {"a", "b", "c"}, {"a", "b", "c", "d"},
	{"a", "b", "EX", "1", "GET"}, {"2", "a", "b", "c", "d", "e"}, {"a", "2", "a", "b", "c", "d", "e"},
}

func compareCall(t *testing.T, peer *realredis.Server, call []string, run func(command.Args, *resp.Reply) error) {
	question := append([]string{"COMMAND", "GETKEYSANDFLAGS"}, call...)
	want := decode(t, peer.Do(t, question...)).String()
	var in command.Args
	for _, w := range question {
		in = append(in, []byte(w))
	}
	out := &resp.Reply{Proto: 2}
	got := ""
	if err := run(in, out); err != nil {
		got = "-" + err.Error()
	} else {
		got = decode(t, string(out.Bytes())).String()
	}
	if got != want {
		t.Errorf("%q:\n ours %s\nredis %s", question, got, want)
	}
}
