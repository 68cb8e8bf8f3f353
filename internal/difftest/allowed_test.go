package difftest

import (
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"

	"coatcheck/resp"
)

// untried are commands whose replies cannot be compared one by one. scanAll
// tries SCAN.
var untried = map[string]bool{
	"RANDOMKEY":   true, // chance
	"ZRANDMEMBER": true, // chance
	"PFSELFTEST":  true, // takes a real server a second
	"SRANDMEMBER": true, // chance
	"SPOP":        true, // chance
	"SORT":        true, // of a set that is not to be sorted: each server's own order
	"SORT_RO":     true,
	"SCAN":        true, // cursors are each server's own
	"DUMP":        true, // how well strings are compressed differs

	// the peer does not have them
	"HEXPIRE": true, "HPEXPIRE": true, "HEXPIREAT": true, "HPEXPIREAT": true, "HTTL": true, "HPTTL": true, "HEXPIRETIME": true,
	"HPEXPIRETIME": true, "HPERSIST": true, "HGETDEL": true, "HGETEX": true, "HSETEX": true,
}

// incomparable are commands that even refusals cannot be compared of, and why.
var incomparable = map[string]string{
	"SHUTDOWN":          "ends the server",
	"MONITOR":           "goes on answering",
	"SAVE":              "the store in a test keeps nothing",
	"BGSAVE":            "the store in a test keeps nothing",
	"BGREWRITEAOF":      "the store in a test keeps nothing",
	"SCRIPT LOAD":       "errors of the compiler are gopher-lua's",
	"PSYNC":             "what follows is a stream, not a reply",
	"SYNC":              "what follows is a stream, not a reply",
	"QUIT":              "ends the connection",
	"PFSELFTEST":        "takes a real server seconds",
	"CLIENT NO-TOUCH":   "since 7.2",
	"CLIENT SETINFO":    "since 7.2",
	"CLUSTER MYSHARDID": "since 7.2",
	"WAITAOF":           "since 7.2",
	"HEXPIRE":           "since 7.4",
	"HPEXPIRE":          "since 7.4",
	"HEXPIREAT":         "since 7.4",
	"HPEXPIREAT":        "since 7.4",
	"HTTL":              "since 7.4",
	"HPTTL":             "since 7.4",
	"HEXPIRETIME":       "since 7.4",
	"HPEXPIRETIME":      "since 7.4",
	"HPERSIST":          "since 7.4",
	"HGETDEL":           "since 8.0",
	"HGETEX":            "since 8.0",
	"HSETEX":            "since 8.0",
	"SESSION.EVENTS":    "ours alone",
	"SESSION.INFO":      "ours alone",
	"SESSION.LIST":      "ours alone",
	"SESSION.REVOKE":    "ours alone",
	"SESSION.STATS":     "ours alone",
	"SESSION.USERS":     "ours alone",
}

// difference is a way in which replies to a command may differ.
type difference struct {
	command string // in capitals; "Z" and "GEO" are for all that begin so
	why     string
	same    func(ours, theirs resp.Value) bool
}

// allowed lists all differences that are no error.
var allowed = []difference{
	{"KEYS", "each server's own order", sameSet},
	{"ZSCAN", "each server's own order", func(ours, theirs resp.Value) bool {
		return len(ours.Elems) == 2 && len(theirs.Elems) == 2 && sameSet(ours.Elems[1], theirs.Elems[1])
	}},
	{"HGETALL", "each server's own order", samePairs},
	{"HKEYS", "each server's own order", sameSet},
	{"HVALS", "each server's own order", sameSet},
	{"HRANDFIELD", "chance", sameShape},
	{"SMEMBERS", "each server's own order", sameSet},
	{"SINTER", "each server's own order", sameSet},
	{"SUNION", "each server's own order", sameSet},
	{"SDIFF", "each server's own order", sameSet},
	{"SSCAN", "each server's own order, and where a step ends in a large set", func(ours, theirs resp.Value) bool {
		if len(ours.Elems) != 2 || len(theirs.Elems) != 2 {
			return false
		}
		whole := ours.Elems[0].Text == "0" && theirs.Elems[0].Text == "0"
		return !whole || sameSet(ours.Elems[1], theirs.Elems[1])
	}},
	{"HSCAN", "each server's own order, and where a step ends in a large hash", func(ours, theirs resp.Value) bool {
		if len(ours.Elems) != 2 || len(theirs.Elems) != 2 {
			return false
		}
		whole := ours.Elems[0].Text == "0" && theirs.Elems[0].Text == "0"
		return !whole || samePairs(ours.Elems[1], theirs.Elems[1])
	}},
	{"ZRANK", "WITHSCORE is 7.2's", refusesArity("zrank")},
	{"ZREVRANK", "WITHSCORE is 7.2's", refusesArity("zrevrank")},
	{"Z", "7.0 writes doubles with 17 digits, 7.2 with as few as do", sameDoubles},
	{"GEO", "sines differ in their last bit from one C library to another", closeDoubles},
	{"TTL", "time passes between the two servers", within(1)},
	{"PTTL", "time passes between the two servers", within(5000)},
	{"EXPIRETIME", "relative deadlines were set at different times", within(5)},
	{"PEXPIRETIME", "relative deadlines were set at different times", within(5000)},
	{"OBJECT ENCODING", "since 7.2 short lists and sets are packed", func(ours, theirs resp.Value) bool {
		return ours.Text == "listpack" && (theirs.Text == "quicklist" || theirs.Text == "hashtable")
	}},
	{"LPOS", "7.2 refuses the lowest RANK", func(ours, _ resp.Value) bool {
		return strings.HasPrefix(ours.Text, "ERR value is out of range")
	}},
	{"OBJECT IDLETIME", "time passes; small integers in Redis are idle since it was started", bothInts},
	{"OBJECT REFCOUNT", "Redis counts 1 for a COPY of a small integer", bothInts},
	{"COMMAND GETKEYS", "7.0 asks for an argument behind the name, 7.2 does not", sameKind},
	{"COMMAND GETKEYSANDFLAGS", "7.0 asks for an argument behind the name, 7.2 does not", sameKind},
	{"XPENDING", "time passes between the two servers", nearly},
	{"XINFO", "time passes between the two servers; 7.2 tells when a consumer was active", func(ours, theirs resp.Value) bool {
		return nearly(withoutActivity(ours), withoutActivity(theirs))
	}},
	{"SSCAN", "since 7.2 small sets are packed, which gives all of them at any cursor", func(ours, theirs resp.Value) bool {
		return ours.Kind == theirs.Kind && len(ours.Elems) == 2 && ours.Elems[0].Text == "0" && len(theirs.Elems[1].Elems) <= len(ours.Elems[1].Elems)
	}},
	{"XREAD", "7.2 names the command in an error", sameKind},
	{"XREADGROUP", "7.2 names the command in an error", sameKind},
	{"XINFO HELP", "the same words, other sentences", sameKind},
	{"XGROUP HELP", "the same words, other sentences", sameKind},
	{"OBJECT HELP", "7.2 has no other words, but 7.0 does", sameKind},
}

func sameKind(ours, theirs resp.Value) bool { return ours.Kind == theirs.Kind }

func bothInts(ours, theirs resp.Value) bool {
	return ours.Kind == resp.KindInt && theirs.Kind == resp.KindInt
}

// refusesArity says that theirs takes fewer arguments.
func refusesArity(name string) func(ours, theirs resp.Value) bool {
	return func(_, theirs resp.Value) bool {
		return theirs.Text == "ERR wrong number of arguments for '"+name+"' command"
	}
}

// double is a number that is not whole, or large.
var double = regexp.MustCompile(`-?\d+\.\d+(e[-+]\d+)?|-?\d+e[-+]\d+|\d{17,}`)

// sameDoubles compares numbers by what they are.
func sameDoubles(ours, theirs resp.Value) bool {
	plain := func(v resp.Value) string {
		return double.ReplaceAllStringFunc(v.String(), func(s string) string {
			f, _ := strconv.ParseFloat(s, 64)
			return strconv.FormatFloat(f, 'g', -1, 64)
		})
	}
	return plain(ours) == plain(theirs)
}

// sameShape compares what is not known before but for its kind and number.
func sameShape(ours, theirs resp.Value) bool {
	return ours.Kind == theirs.Kind && len(ours.Elems) == len(theirs.Elems) && !ours.IsError()
}

// samePairs compares fields with their values, in any order.
func samePairs(ours, theirs resp.Value) bool {
	pairs := func(v resp.Value) map[string]string {
		m := map[string]string{}
		for i := 0; i+1 < len(v.Elems); i += 2 {
			m[v.Elems[i].Text] = v.Elems[i+1].Text
		}
		return m
	}
	return sameShape(ours, theirs) && maps.Equal(pairs(ours), pairs(theirs))
}

// closeDoubles is sameDoubles for distances, which are told with 4 digits behind the
// point: the last may be one off.
func closeDoubles(ours, theirs resp.Value) bool {
	if ours.Kind != theirs.Kind || len(ours.Elems) != len(theirs.Elems) {
		return false
	}
	for i := range ours.Elems {
		if !closeDoubles(ours.Elems[i], theirs.Elems[i]) {
			return false
		}
	}
	if ours.Text == theirs.Text {
		return ours.Int == theirs.Int
	}
	a, err1 := strconv.ParseFloat(ours.Text, 64)
	b, err2 := strconv.ParseFloat(theirs.Text, 64)
	return err1 == nil && err2 == nil && math.Abs(a-b) < 0.00015
}

func within(margin int64) func(ours, theirs resp.Value) bool {
	return func(ours, theirs resp.Value) bool {
		d := ours.Int - theirs.Int
		return bothInts(ours, theirs) && ours.Int >= 0 && theirs.Int >= 0 && -margin <= d && d <= margin
	}
}

// nearly lets numbers differ by five seconds.
func nearly(ours, theirs resp.Value) bool {
	if ours.Kind != theirs.Kind || ours.Text != theirs.Text || len(ours.Elems) != len(theirs.Elems) {
		return false
	}
	for i := range ours.Elems {
		if !nearly(ours.Elems[i], theirs.Elems[i]) {
			return false
		}
	}
	d := ours.Int - theirs.Int
	return -5000 <= d && d <= 5000
}

// withoutActivity is a reply of XINFO without the figures that 7.2 has and 7.0 has
// not.
func withoutActivity(v resp.Value) resp.Value {
	var elems []resp.Value
	for i := 0; i < len(v.Elems); i++ {
		if name := v.Elems[i].Text; (name == "active-time" || name == "inactive") && i+1 < len(v.Elems) && v.Elems[i+1].Kind == resp.KindInt {
			i++
			continue
		}
		elems = append(elems, withoutActivity(v.Elems[i]))
	}
	v.Elems = elems
	return v
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

// isFor says whether it is about a command, of whose words name has two.
func (d *difference) isFor(name string) bool {
	if d.command == "Z" || d.command == "GEO" {
		return strings.HasPrefix(strings.TrimPrefix(name, "B"), d.command)
	}
	return strings.HasPrefix(name, d.command+" ")
}

// same compares two replies to argv.
func same(argv []string, ours, theirs resp.Value) bool {
	if ours.String() == theirs.String() {
		return true
	}
	name := strings.ToUpper(strings.Join(argv[:min(2, len(argv))], " ")) + " "
	for _, d := range allowed {
		if d.isFor(name) && d.same(ours, theirs) {
			return true
		}
	}
	return false
}
