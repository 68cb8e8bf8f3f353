// Package commandtest compares what the command table tells with what a real
// redis-server tells of the same commands.
package commandtest

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"coatcheck/internal/command"
	"coatcheck/internal/realredis"
	"coatcheck/resp"
)

// CompareWithRedis asks a real redis-server for COMMAND INFO and COMMAND DOCS of
// every command of the directory and reports what differs, but for what
// allowed.go names. Summaries, complexities, histories and notes are our own words,
// and must not be Redis'; not compared is since when an argument exists, which we do not tell.
func CompareWithRedis(t *testing.T, dir *command.Directory) {
	peer := realredis.Start(t)
	infos, docs := ask(t, peer, "info"), ask(t, peer, "docs")
	for _, top := range dir.All() {
		for _, c := range append([]*command.Info{top}, top.Subs...) {
			compareOne(t, c, infos, docs)
		}
		compareSubs(t, top, infos)
	}
}

// ask returns the rows of COMMAND INFO or the maps of COMMAND DOCS by full name.
func ask(t *testing.T, peer *realredis.Server, what string) map[string]resp.Value {
	byName := map[string]resp.Value{}
	if what == "docs" {
		addDocs(byName, decode(t, peer.Do(t, "command", "docs")))
		return byName
	}
	for _, row := range decode(t, peer.Do(t, "command", "info")).Elems {
		byName[row.Elems[0].Text] = row
		for _, sub := range row.Elems[9].Elems {
			byName[sub.Elems[0].Text] = sub
		}
	}
	return byName
}

func addDocs(byName map[string]resp.Value, docs resp.Value) {
	for i := 0; i < len(docs.Elems); i += 2 {
		byName[docs.Elems[i].Text] = docs.Elems[i+1]
		if subs, ok := field(docs.Elems[i+1], "subcommands"); ok {
			addDocs(byName, subs)
		}
	}
}

func decode(t *testing.T, reply string) resp.Value {
	t.Helper()
	v, err := resp.NewDecoder(strings.NewReader(reply)).Decode()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ours(t *testing.T, write func(*resp.Reply)) resp.Value {
	t.Helper()
	out := &resp.Reply{Proto: 2}
	write(out)
	return decode(t, string(out.Bytes()))
}

// field finds a value in a map sent as an array.
func field(m resp.Value, name string) (resp.Value, bool) {
	for i := 0; i+1 < len(m.Elems); i += 2 {
		if m.Elems[i].Text == name {
			return m.Elems[i+1], true
		}
	}
	return resp.Value{}, false
}

func compareOne(t *testing.T, c *command.Info, infos, docs map[string]resp.Value) {
	theirs, ok := infos[c.Full]
	if !ok {
		if !slices.Contains(since72, c.Full) && !slices.Contains(since74, c.Full) && !slices.Contains(own, c.Full) {
			t.Errorf("%s: redis-server has no such command", c.Full)
		}
		return
	}
	want := infoLines(theirs)
	got := infoLines(ours(t, c.WriteInfo))
	for i := range want {
		if got[i] != want[i] && !isAllowed(c.Full, got[i]) {
			t.Errorf("%s: COMMAND INFO\n ours %s\nredis %s", c.Full, got[i], want[i])
		}
	}
	compareProse(t, c, docs[c.Full])
	want = docLines(c.Full, docs[c.Full])
	got = docLines("", ours(t, func(out *resp.Reply) { out.Array(2); c.WriteDocs(out) }).Elems[1])
	for i := range want {
		if got[i] != want[i] && !isAllowed(c.Full, got[i]) {
			t.Errorf("%s: COMMAND DOCS\n ours %s\nredis %s", c.Full, got[i], want[i])
		}
	}
}

// compareProse reports texts that are Redis' instead of ours. Short ones, such as
// "O(1)", there is only one way to write.
func compareProse(t *testing.T, c *command.Info, doc resp.Value) {
	const short = 12
	theirs := map[string]bool{}
	for _, name := range []string{"summary", "complexity"} {
		v, _ := field(doc, name)
		theirs[strings.TrimSuffix(v.Text, ".")] = true
	}
	history, _ := field(doc, "history")
	for _, h := range history.Elems {
		theirs[strings.TrimSuffix(h.Elems[1].Text, ".")] = true
	}
	ours := []string{c.Summary, c.Complexity}
	for _, h := range c.History {
		ours = append(ours, h[1])
	}
	for _, text := range ours {
		if len(text) > short && theirs[strings.TrimSuffix(text, ".")] {
			t.Errorf("%s: this text is not ours: %s", c.Full, text)
		}
	}
}

// compareSubs reports subcommands that redis-server has and we have not.
func compareSubs(t *testing.T, c *command.Info, infos map[string]resp.Value) {
	theirs, ok := infos[c.Full]
	if !ok {
		return
	}
	for _, sub := range theirs.Elems[9].Elems {
		name := sub.Elems[0].Text
		has := slices.ContainsFunc(c.Subs, func(s *command.Info) bool { return s.Full == name })
		if !has && !slices.Contains(missing, name) {
			t.Errorf("%s: we lack this subcommand", name)
		}
	}
}

var infoFields = []string{"name", "arity", "flags", "first key", "last key", "step", "categories", "tips", "key specs"}

// infoLines are the fields of a row, without notes and subcommands.
func infoLines(row resp.Value) []string {
	lines := make([]string, len(infoFields))
	for i, name := range infoFields {
		v := row.Elems[i]
		if name == "key specs" {
			v = withoutNotes(v)
		}
		if name == "tips" {
			sort.Slice(v.Elems, func(a, b int) bool { return v.Elems[a].Text < v.Elems[b].Text })
		}
		lines[i] = name + " " + v.String()
	}
	return lines
}

func withoutNotes(specs resp.Value) resp.Value {
	for i, s := range specs.Elems {
		if len(s.Elems) > 0 && s.Elems[0].Text == "notes" {
			specs.Elems[i].Elems = s.Elems[2:]
		}
	}
	return specs
}

var docFields = []string{"since", "group", "doc_flags", "deprecated_since", "replaced_by"}

// docLines are the fields of a map of COMMAND DOCS that do not hold prose;
// arguments of a command that is not "" are renamed to 7.2's names.
func docLines(full string, doc resp.Value) []string {
	var lines []string
	for _, name := range docFields {
		v, _ := field(doc, name)
		lines = append(lines, name+" "+v.String())
	}
	args, _ := field(doc, "arguments")
	return append(lines, "arguments "+argLine(full, args))
}

// argLine tells arguments on one line: name/type@TOKEN#keyspec flags{…}.
func argLine(full string, args resp.Value) string {
	var words []string
	for _, a := range args.Elems {
		name, _ := field(a, "name")
		typ, _ := field(a, "type")
		word := renamed(full, name.Text, typ.Text) + "/" + typ.Text
		if token, ok := field(a, "token"); ok {
			word += "@" + token.Text
		}
		if spec, ok := field(a, "key_spec_index"); ok {
			word += "#" + fmt.Sprint(spec.Int)
		}
		flags, _ := field(a, "flags")
		for _, f := range flags.Elems {
			word += "," + f.Text
		}
		if subs, ok := field(a, "arguments"); ok {
			word += "{" + argLine(full, subs) + "}"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}
