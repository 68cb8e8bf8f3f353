package hostile

import (
	"slices"
	"strings"

	"coatcheck/resp"
)

// call is a command as COMMAND DOCS tells it, a subcommand with its container's
// name in front.
type call struct {
	words []string
	args  []argument
}

// argument is one of its arguments.
type argument struct {
	name, kind, token         string
	optional, multiple, again bool
	args                      []argument
}

// calls asks the server for all its commands.
func calls(c *conn) (all []call) {
	docs := c.do("COMMAND", "DOCS")
	for i := 0; i+1 < len(docs.Elems); i += 2 {
		all = append(all, read(nil, docs.Elems[i].Text, docs.Elems[i+1])...)
	}
	slices.SortFunc(all, func(a, b call) int { return slices.Compare(a.words, b.words) })
	return all
}

func read(parent []string, name string, doc resp.Value) (all []call) {
	words := append(slices.Clone(parent), name[strings.LastIndexByte(name, '|')+1:])
	subs := value(doc, "subcommands")
	for i := 0; i+1 < len(subs.Elems); i += 2 {
		all = append(all, read(words, subs.Elems[i].Text, subs.Elems[i+1])...)
	}
	if len(subs.Elems) == 0 {
		all = append(all, call{words, arguments(value(doc, "arguments"))})
	}
	return all
}

func arguments(list resp.Value) (all []argument) {
	for _, v := range list.Elems {
		a := argument{name: value(v, "name").Text, kind: value(v, "type").Text, token: value(v, "token").Text, args: arguments(value(v, "arguments"))}
		for _, f := range value(v, "flags").Elems {
			a.optional = a.optional || f.Text == "optional"
			a.multiple = a.multiple || f.Text == "multiple"
			a.again = a.again || f.Text == "multiple_token"
		}
		all = append(all, a)
	}
	return all
}

// value is what a map says of name.
func value(m resp.Value, name string) resp.Value {
	for i := 0; i+1 < len(m.Elems); i += 2 {
		if m.Elems[i].Text == name {
			return m.Elems[i+1]
		}
	}
	return resp.Value{}
}

// numbers says how many numbers a call may take.
func (k call) numbers() (n int) {
	w := writer{}
	w.list(k.args)
	return w.seen
}

// argv is the call with all its options, with odd in the place of its at-th number
// and otherwise numbers and words that make sense of some kind.
func (k call) argv(key string, at int, odd string) []string {
	w := writer{argv: slices.Clone(k.words), key: key, at: at, odd: odd}
	w.list(k.args)
	return w.argv
}

type writer struct {
	argv     []string
	key, odd string
	at, seen int
}

func (w *writer) list(args []argument) {
	for _, a := range args {
		if a.token == "BLOCK" { // nobody would end the wait
			continue
		}
		if a.token != "" {
			w.argv = append(w.argv, strings.Trim(a.token, `"`))
		}
		w.one(a)
	}
}

func (w *writer) one(a argument) {
	switch a.kind {
	case "pure-token":
	case "oneof":
		// The alternative with most numbers in it.
		best := slices.MaxFunc(a.args, func(x, y argument) int { return numbersIn(x) - numbersIn(y) })
		w.list([]argument{best})
	case "block":
		w.list(a.args)
	case "key":
		w.argv = append(w.argv, w.key)
	case "integer", "double", "unix-time":
		n := "1"
		if w.seen == w.at {
			n = w.odd
		}
		w.seen++
		w.argv = append(w.argv, n)
	case "pattern":
		w.argv = append(w.argv, "*")
	default:
		w.argv = append(w.argv, word(a.name))
	}
}

func numbersIn(a argument) int {
	w := writer{}
	w.list([]argument{a})
	return w.seen
}

// word is a string that an argument of that name may be.
func word(name string) string {
	switch name {
	case "id", "start", "end", "last-id", "lastid", "max-deleted-id", "new-id":
		return "1-1"
	case "min", "max":
		return "0"
	case "encoding":
		return "u8"
	case "timeout":
		return "0.01"
	}
	return "m1"
}
