package difftest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"coatcheck/internal/command"
)

// known is a command and the tree of its arguments.
type known struct {
	words []string // its name: one word, or two for a subcommand
	args  []command.Arg
	waits bool // it may wait for keys
}

// commands lists what is tried: every command about data.
func commands() []known {
	var all []known
	for _, e := range command.Data() {
		if !untried[e.Name] {
			all = append(all, find(nil, e.Spec, e.Run != nil)...)
		}
		for _, sub := range e.Subs {
			all = append(all, find([]string{e.Name}, sub.Spec, true)...)
		}
	}
	all = append(all,
		known{words: []string{"ECHO"}, args: []command.Arg{{Name: "message", Type: command.ArgString}}},
		known{words: []string{"SELECT"}, args: []command.Arg{{Name: "index", Type: command.ArgInteger}}},
		known{words: []string{"NOSUCHCOMMAND"}, args: []command.Arg{{Name: "value", Type: command.ArgString, Multiple: true, Optional: true}}},
	)
	return all
}

func find(parent []string, s command.Spec, runs bool) []known {
	if !runs {
		return nil
	}
	args, err := command.ParseSyntax(s.Syntax, len(s.Keys))
	if err != nil {
		panic(err) // the table's own test says which line
	}
	return []known{{append(parent, s.Name), args, s.Flags&command.Blocking != 0}}
}

// waiting are the names of commands that may wait.
func waiting() map[string]bool {
	names := map[string]bool{}
	for _, e := range command.Data() {
		names[e.Name] = e.Flags&command.Blocking != 0
	}
	return names
}

// generator draws commands. Deadlines it draws are far away and all different,
// so that it does not matter who runs a command some milliseconds later.
type generator struct {
	all  []known
	now  time.Time
	last int // the last deadline drawn, in seconds from now
	// numkeys is how many keys the command is to have, 0 when nothing said so.
	numkeys    int
	streams    bool // the command is about streams
	streamKeys int  // of XREAD
	bits       bool // the command is about bits
}

// command draws a command with its arguments, mostly right ones.
func (g *generator) command(t *rapid.T) []string {
	k := rapid.SampledFrom(g.all).Draw(t, "command")
	g.streams, g.streamKeys = strings.HasPrefix(k.words[0], "X"), 0
	argv := append([]string(nil), k.words...)
	if rapid.IntRange(0, 9).Draw(t, "case") == 0 {
		argv[0] = strings.ToLower(argv[0])
	}
	g.numkeys, g.bits = 0, strings.Contains(k.words[0], "BIT")
	argv = g.list(t, argv, k.args)
	if k.waits { // for no longer than was drawn
		return argv
	}
	return spoil(t, argv, len(k.words))
}

// spoil makes one command in eight wrong.
func spoil(t *rapid.T, argv []string, fixed int) []string {
	if len(argv) == fixed {
		return argv
	}
	at := rapid.IntRange(fixed, len(argv)-1)
	switch rapid.IntRange(0, 31).Draw(t, "spoil") {
	case 0: // one too few
		return argv[:len(argv)-1]
	case 1: // one too many
		return append(argv, rapid.SampledFrom([]string{"x", "", "NX", "1"}).Draw(t, "extra"))
	case 2: // one from elsewhere
		// no small number above 0: as a deadline it would come at once
		argv[at.Draw(t, "at")] = rapid.SampledFrom([]string{"0", "-1", "abc", "", "1.5", "01", "9223372036854775807", "9223372036854775808"}).Draw(t, "odd")
	case 3: // one twice
		return append(argv, argv[at.Draw(t, "at")])
	}
	return argv
}

func (g *generator) list(t *rapid.T, argv []string, args []command.Arg) []string {
	for _, a := range args {
		if a.Token == "NOVALUES" || a.Token == "BLOCK" { // since 7.4; nobody would end a wait
			continue
		}
		if a.Optional && rapid.IntRange(0, 2).Draw(t, "optional") > 0 {
			continue
		}
		times := 1
		if a.Multiple {
			times = rapid.IntRange(1, 4).Draw(t, "times")
			if g.numkeys > 0 && (a.Type == command.ArgKey || a.Name == "weight") {
				times = g.numkeys
			}
			if g.streams && a.Type == command.ArgKey {
				g.streamKeys = times
			} else if g.streams && a.Name == "id" && g.streamKeys > 0 {
				times = g.streamKeys
			}
		}
		for i := range times {
			if a.Token != "" && (i == 0 || a.MultipleToken) {
				argv = append(argv, anyCase(t, a.Token))
			}
			argv = g.arg(t, argv, a)
		}
	}
	return argv
}

func (g *generator) arg(t *rapid.T, argv []string, a command.Arg) []string {
	switch a.Type {
	case command.ArgToken: // said already
		return argv
	case command.ArgOneOf:
		one := rapid.SampledFrom(a.Args).Draw(t, "which")
		if one.Token == "*" { // the two have different clocks
			one = a.Args[1]
		}
		one.Optional = false
		return g.list(t, argv, []command.Arg{one})
	case command.ArgBlock:
		return g.list(t, argv, a.Args)
	}
	return append(argv, g.word(t, a))
}

func anyCase(t *rapid.T, word string) string {
	if rapid.IntRange(0, 3).Draw(t, "lower") == 0 {
		return strings.ToLower(word)
	}
	return word
}

// word draws an argument by its type and name.
func (g *generator) word(t *rapid.T, a command.Arg) string {
	switch a.Type {
	case command.ArgKey:
		return rapid.SampledFrom(keys).Draw(t, "key")
	case command.ArgPattern:
		return rapid.SampledFrom(patterns).Draw(t, "pattern")
	case command.ArgDouble:
		if some := doublesOf[a.Name]; some != nil {
			return rapid.SampledFrom(some).Draw(t, a.Name)
		}
		return rapid.OneOf(rapid.SampledFrom(doubles), rapid.Custom(decimal)).Draw(t, "double")
	case command.ArgUnixTime, command.ArgInteger:
		return g.integer(t, a.Name)
	}
	if a.Name == "type" {
		return rapid.SampledFrom([]string{"string", "STRING", "list", "hash", "nothing", ""}).Draw(t, "type")
	}
	if g.streams {
		if from := streamWords[a.Name]; from != nil {
			return rapid.SampledFrom(from).Draw(t, a.Name)
		}
	}
	switch a.Name {
	case "start", "stop", "min", "max": // of ranges of sorted sets
		return rapid.SampledFrom(bounds).Draw(t, "bound")
	case "serialized-value": // TestDumpsAreInterchangeable tries right ones
		return rapid.SampledFrom([]string{"", "x", "\x00\x01a\x0a\x00", "not a dump at all"}).Draw(t, "payload")
	case "encoding":
		return rapid.SampledFrom([]string{"u8", "i8", "u1", "i1", "u3", "i5", "i64", "u63", "u64", "i0", "x8", "u"}).Draw(t, "encoding")
	case "field":
		return rapid.OneOf(rapid.SampledFrom(members), rapid.SampledFrom(members), rapid.SampledFrom(values)).Draw(t, "field")
	case "member", "member1", "member2", "element", "pivot":
		return rapid.OneOf(rapid.SampledFrom(members), rapid.SampledFrom(values)).Draw(t, "member")
	}
	return rapid.OneOf(rapid.SampledFrom(values), rapid.Custom(decimal), rapid.Custom(long)).Draw(t, "value")
}

func (g *generator) integer(t *rapid.T, name string) string {
	odd := rapid.IntRange(0, 5).Draw(t, "odd") == 0
	switch {
	case name == "numkeys":
		g.numkeys = rapid.IntRange(0, 3).Draw(t, "numkeys")
		return strconv.Itoa(g.numkeys)
	case strings.Contains(name, "seconds"): // and milliseconds, and unix-times of both
		return g.deadline(t, name, odd)
	case g.bits && name == "offset": // none that makes hundreds of megabytes
		return rapid.SampledFrom([]string{"0", "1", "5", "7", "8", "63", "64", "100", "5000", "4294967296", "#1", "#8", "-1", "01", "x", "", "9223372036854775807"}).Draw(t, "bit")
	case odd:
		return rapid.SampledFrom(oddIntegers).Draw(t, "integer")
	case name == "bit", g.bits && name == "value":
		return fmt.Sprint(rapid.IntRange(0, 1).Draw(t, "bit"))
	case name == "offset":
		return fmt.Sprint(rapid.SampledFrom([]int{0, 1, 5, 44, 100, 5000, 536870912, 536870911000}).Draw(t, "offset"))
	case name == "cursor":
		return "0"
	case strings.Contains(name, "db"), strings.HasPrefix(name, "index"):
		return fmt.Sprint(rapid.IntRange(-1, 16).Draw(t, "db"))
	}
	return fmt.Sprint(rapid.IntRange(-12, 12).Draw(t, "small"))
}

func (g *generator) deadline(t *rapid.T, name string, odd bool) string {
	if odd {
		return rapid.SampledFrom(oddDeadlines).Draw(t, "deadline")
	}
	g.last += rapid.IntRange(50, 5000).Draw(t, "later")
	s := int64(g.last)
	if rapid.Bool().Draw(t, "sooner") {
		s = 2_000_000 - s // still far away, and different
	}
	if strings.HasPrefix(name, "unix") {
		s += g.now.Unix()
	}
	if strings.Contains(name, "milli") {
		s *= 1000
	}
	return strconv.FormatInt(s, 10)
}

// decimal draws a number as people write it.
func decimal(t *rapid.T) string {
	n := rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "digits")
	places := rapid.IntRange(0, 8).Draw(t, "places")
	return strconv.FormatFloat(float64(n)/math.Pow10(places), 'f', -1, 64)
}

// long draws a string of a length around which encodings change.
func long(t *rapid.T) string {
	n := rapid.SampledFrom([]int{20, 43, 44, 45, 64, 1000, 33000}).Draw(t, "length")
	return strings.Repeat(rapid.StringN(1, 1, 1).Draw(t, "of"), n)
}

var keys = []string{"a", "b", "c", "d", "k:1", "k:2", "", "with blank", "bin\x00\xff\r\n", strings.Repeat("long", 20)}

// members are few, so that they come again.
var members = []string{"a", "b", "c", "d", "1", "2", "-7", "longmember" + strings.Repeat("x", 45)}

var bounds = []string{"0", "1", "-1", "2", "-3", "5", "(1", "(0", "-inf", "+inf", "(2", "1.5", "100", "x", "[a", ""}

var patterns = []string{"*", "?", "k:*", "k:[12]", "[a-c]", "[^a]", "[^a-b]*", "\\*", "*blank", "a*b*c", "", "[", "[a", "\\", "**", "?*?", "[]", "[]a]", "[c-a]", "k\\:1", "[\\a]"}

// streamWords are arguments of commands on streams, by their names.
var streamWords = map[string][]string{
	"id": ids, "start": ids, "end": ids, "last-id": ids, "max-deleted-id": ids, "lastid": ids, "new-id": ids,
	"threshold": append([]string{"0", "1", "3"}, ids...), "group": {"g", "h"}, "consumer": {"anna", "bob"},
	"min-idle-time": {"0", "1000000", "-1", "x"}, "field": {"f", "g"},
}

var ids = []string{"0", "0-0", "0-1", "1", "1-1", "1-2", "2", "2-*", "3-0", "5-5", "100-1", "-", "+", "(1-1", "(2", "$", ">", "18446744073709551615-1",
	"18446744073709551615-18446744073709551615", "18446744073709551616", "1-", "x", "", "1-1-1"}

var values = []string{"", "x", "0", "1", "-1", "10", "0010", "-0", "+1", " 1", "1 ", "9223372036854775807", "-9223372036854775808",
	"9223372036854775808", "3.0", "5.0e3", "1e400", "inf", "nan", "0x10", "abcdefghij", "abracadabra", "cadabra", "\x00\x01\xff", "a\r\nb"}

var oddIntegers = []string{"0", "-1", "1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809",
	"4294967296", "2147483648", "-2147483649", "1.5", "abc", "", " 1", "1 ", "01", "+1", "-0", "1e3", "0x1"}

var oddDeadlines = []string{"0", "-1", "-1000", "1e3", "abc", "", "1.5", "01", "9223372036854775807", "-9223372036854775808",
	"9223372036854775", "9223372036854776", "9223372036854775808"}

// doublesOf are those of arguments that only some make sense of. Timeouts are short.
var doublesOf = map[string][]string{
	"timeout":   {"0.001", "0.001", "1e-3", "0.0004", "-1", "nan", "abc", "", " 1", "-inf"},
	"longitude": {"0", "0", "13.361389", "15.087269", "-0.127758", "151.2099", "180", "-180", "179.9", "0.00001", "-90", "181", "nan", "x", ""},
	"latitude":  {"0", "0", "38.115556", "37.502669", "51.507351", "-33.865143", "85", "-85.05112878", "0.00001", "-45", "86", "inf", "x", ""},
	"radius":    geoSizes, "width": geoSizes, "height": geoSizes,
}

var geoSizes = []string{"0", "1", "1.5", "10", "200", "1000", "5e3", "1e5", "2e6", "1e7", "1e9", "inf", "-1", "x", ""}

var doubles = []string{"0", "-0", "1", "1.5", "-1.5", "0.1", "0.2", "1e5", "1e17", "1e-5", "1.23456789012345678", "3.0", "5.0e3", "1e308", "1e400",
	"inf", "-inf", "+inf", "infinity", "nan", "0x1p3", "0x10", ".5", "5.", "abc", "", " 1", "1 ", "1e", "9223372036854775807", "1e4000", "1e-4000", "100000000000000000000"}
