package difftest

import (
	"strings"

	"coatcheck/resp"
)

// untried are commands whose replies cannot be compared one by one. scanAll
// tries SCAN.
var untried = map[string]bool{
	"RANDOMKEY": true, // chance
	"SCAN":      true, // cursors are each server's own
	"DUMP":      true, // how well strings are compressed differs
}

// incomparable are commands that even refusals cannot be compared of, and why.
var incomparable = map[string]string{
	"SHUTDOWN":          "ends the server",
	"MONITOR":           "goes on answering",
	"SAVE":              "the store in a test keeps nothing",
	"BGSAVE":            "the store in a test keeps nothing",
	"QUIT":              "ends the connection",
	"CLIENT NO-TOUCH":   "since 7.2",
	"CLIENT SETINFO":    "since 7.2",
	"CLUSTER MYSHARDID": "since 7.2",
}

// difference is a way in which replies to a command may differ.
type difference struct {
	command string // in capitals, as far as it must match
	why     string
	same    func(ours, theirs resp.Value) bool
}

// allowed lists all differences that are no error.
var allowed = []difference{
	{"KEYS", "each server's own order", sameSet},
	{"TTL", "time passes between the two servers", within(1)},
	{"PTTL", "time passes between the two servers", within(5000)},
	{"EXPIRETIME", "relative deadlines were set at different times", within(5)},
	{"PEXPIRETIME", "relative deadlines were set at different times", within(5000)},
	{"OBJECT IDLETIME", "time passes; small integers in Redis are idle since it was started", bothInts},
	{"OBJECT REFCOUNT", "Redis counts 1 for a COPY of a small integer", bothInts},
	{"COMMAND GETKEYS", "7.0 asks for an argument behind the name, 7.2 does not", sameKind},
	{"COMMAND GETKEYSANDFLAGS", "7.0 asks for an argument behind the name, 7.2 does not", sameKind},
	{"OBJECT HELP", "7.2 has no other words, but 7.0 does", sameKind},
}

func sameKind(ours, theirs resp.Value) bool { return ours.Kind == theirs.Kind }

func bothInts(ours, theirs resp.Value) bool {
	return ours.Kind == resp.KindInt && theirs.Kind == resp.KindInt
}

func within(margin int64) func(ours, theirs resp.Value) bool {
	return func(ours, theirs resp.Value) bool {
		d := ours.Int - theirs.Int
		return bothInts(ours, theirs) && ours.Int >= 0 && theirs.Int >= 0 && -margin <= d && d <= margin
	}
}

func sameSet(ours, theirs resp.Value) bool {
	count := map[string]int{}
	for _, v := range ours.Elems {
		count[v.String()]++
	}
	for _, v := range theirs.Elems {
		count[v.String()]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return ours.Kind == theirs.Kind
}

// same compares two replies to argv.
func same(argv []string, ours, theirs resp.Value) bool {
	if ours.String() == theirs.String() {
		return true
	}
	name := strings.ToUpper(strings.Join(argv[:min(2, len(argv))], " ")) + " "
	for _, d := range allowed {
		if strings.HasPrefix(name, d.command+" ") && d.same(ours, theirs) {
			return true
		}
	}
	return false
}
