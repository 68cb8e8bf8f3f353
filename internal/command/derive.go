package command

import (
	"slices"
	"strings"
)

// What follows from a Spec: the answers of COMMAND INFO, the categories of ACL,
// and where a command's keys stand.

// flagNames are the flags that COMMAND INFO shows, in its order. As in Redis it
// keeps MayReplicate to itself.
var flagNames = []struct {
	flag Flags
	name string
}{
	{Write, "write"}, {ReadOnly, "readonly"}, {DenyOOM, "denyoom"}, {Admin, "admin"},
	{PubSub, "pubsub"}, {NoScript, "noscript"}, {Blocking, "blocking"}, {Loading, "loading"},
	{Stale, "stale"}, {SkipMonitor, "skip_monitor"}, {SkipSlowlog, "skip_slowlog"},
	{Asking, "asking"}, {Fast, "fast"}, {NoAuth, "no_auth"}, {NoMandatoryKeys, "no_mandatory_keys"}, {NoAsyncLoading, "no_async_loading"},
	{NoMulti, "no_multi"}, {MovableKeys, "movablekeys"}, {AllowBusy, "allow_busy"},
}

// FlagNames are the command's flags, as COMMAND INFO prints them.
func (s *Spec) FlagNames() []string {
	var names []string
	for _, f := range flagNames {
		if s.AllFlags()&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// AllFlags are the command's flags and those that follow from its key specs.
func (s *Spec) AllFlags() Flags {
	if len(s.Searches) > 0 {
		return s.Flags | MovableKeys
	}
	return s.Flags
}

var keyFlagNames = []struct {
	flag KeyFlags
	name string
}{
	{RO, "RO"}, {RW, "RW"}, {OW, "OW"}, {RM, "RM"}, {Access, "access"}, {Update, "update"},
	{Insert, "insert"}, {Delete, "delete"}, {NotKey, "not_key"}, {Incomplete, "incomplete"},
	{VariableFlags, "variable_flags"},
}

// Names are the flags as COMMAND INFO prints them.
func (f KeyFlags) Names() []string {
	var names []string
	for _, n := range keyFlagNames {
		if f&n.flag != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

// Categories are the categories of ACL, in the order of ACL CAT, and behind them those
// that no Redis has.
var Categories = []string{
	"keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap",
	"hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous",
	"connection", "transaction", "scripting",
	"session",
}

// OwnCategories is how many of Categories no Redis has: ACL CAT keeps them to itself
// until they are asked for.
const OwnCategories = 1

// groupCategory is the category of all commands of a group.
var groupCategory = map[Group]string{
	GroupString: "string", GroupList: "list", GroupSet: "set", GroupSortedSet: "sortedset",
	GroupHash: "hash", GroupTransactions: "transaction", GroupConnection: "connection",
	GroupScripting: "scripting", GroupHyperLogLog: "hyperloglog", GroupGeo: "geo",
	GroupStream: "stream", GroupBitmap: "bitmap",
}

// ACLCategories are the categories a command belongs to: by its flags, by its
// group and by its own word. Of a mere container only the flags count: its
// subcommands have categories of their own.
func (s *Spec) ACLCategories(container bool) []string {
	has := map[string]bool{}
	for _, c := range s.Categories {
		has[c] = true
	}
	if c := groupCategory[s.Group]; c != "" && !container {
		has[c] = true
	}
	has["write"] = has["write"] || s.Flags&Write != 0
	has["read"] = has["read"] || s.Flags&ReadOnly != 0 && !has["scripting"]
	has["admin"] = has["admin"] || s.Flags&Admin != 0
	has["dangerous"] = has["dangerous"] || s.Flags&Admin != 0
	has["pubsub"] = has["pubsub"] || s.Flags&PubSub != 0
	has["blocking"] = has["blocking"] || s.Flags&Blocking != 0
	has["fast"] = s.Flags&Fast != 0
	has["slow"] = s.Flags&Fast == 0

	var names []string
	for _, c := range Categories {
		if has[c] {
			names = append(names, c)
		}
	}
	return names
}

// LegacyRange is the first key, the last key (negative: from the end) and the
// step, as COMMAND INFO told keys before there were key specs; zeros without keys
// at fixed places. Channels that are listed like keys count too.
func (s *Spec) LegacyRange() (first, last, step int) {
	for _, k := range s.Keys {
		end := k.Last
		if end >= 0 {
			end += k.First
		}
		switch {
		case first == 0:
			first, last, step = k.First, end, k.Step
		case k.First == last+1 && step == 1 && k.Step == 1:
			last = end
		}
	}
	return first, last, step
}

// Arguments are the arguments that the syntax line tells.
func (s *Spec) Arguments() ([]Arg, error) { return ParseSyntax(s.Syntax, len(s.Keys)+len(s.Searches)) }

// AcceptsArity says whether argc arguments, name included, are neither too few
// nor too many.
func (s *Spec) AcceptsArity(argc int) bool {
	return argc == s.Arity || s.Arity < 0 && argc >= -s.Arity
}

// HasWord says whether a word of argv from position from on is word, which is
// in capitals, in any case.
func (in Args) HasWord(from int, word string) bool {
	return slices.ContainsFunc(in[min(from, len(in)):], func(arg []byte) bool {
		return strings.EqualFold(string(arg), word)
	})
}
