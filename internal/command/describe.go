package command

import (
	"slices"
	"strings"

	"coatcheck/resp"
)

// Info is a command as COMMAND tells it, with its subcommands.
type Info struct {
	*Spec
	// Full is the name in lower case, of a subcommand "client|kill".
	Full string
	// Container says that the command does nothing without a subcommand.
	Container bool
	Subs      []*Info
}

// Describe makes the Infos of a family.
func Describe[C any](family []Entry[C]) []*Info { return describe(family, "") }

func describe[C any](family []Entry[C], parent string) []*Info {
	infos := make([]*Info, len(family))
	for i := range family {
		e := &family[i]
		full := parent + strings.ToLower(e.Name)
		infos[i] = &Info{
			Spec: &e.Spec, Full: full, Container: e.Run == nil,
			Subs: describe(e.Subs, full+"|"),
		}
	}
	return infos
}

// Directory finds commands by name. It is safe for concurrent use.
type Directory struct {
	all    []*Info // by name
	byFull map[string]*Info
}

// NewDirectory makes a directory of families' Infos.
func NewDirectory(families ...[]*Info) *Directory {
	d := &Directory{all: slices.Concat(families...), byFull: map[string]*Info{}}
	slices.SortFunc(d.all, func(a, b *Info) int { return strings.Compare(a.Full, b.Full) })
	for _, info := range d.all {
		d.byFull[info.Full] = info
		for _, sub := range info.Subs {
			d.byFull[sub.Full] = sub
		}
	}
	return d
}

// All are the commands, sorted by name, without their subcommands.
func (d *Directory) All() []*Info { return d.all }

// Find returns the command of a full name in any case, "client|kill" for a
// subcommand; nil when there is none.
func (d *Directory) Find(full string) *Info { return d.byFull[strings.ToLower(full)] }

// Call returns the command that a call addresses, by its first word or two; nil
// when there is none.
func (d *Directory) Call(in Args) *Info {
	if len(in) == 0 || strings.Contains(string(in[0]), "|") {
		return nil
	}
	info := d.Find(string(in[0]))
	if info == nil || len(info.Subs) == 0 || len(in) == 1 {
		return info
	}
	return d.Find(info.Full + "|" + string(in[1]))
}

// WriteInfo appends the command's row of COMMAND INFO.
func (i *Info) WriteInfo(out *resp.Reply) {
	first, last, step := i.LegacyRange()
	out.Array(10)
	out.BulkText(i.Full)
	out.Int(int64(i.Arity))
	writeStatuses(out, "", i.FlagNames())
	out.Int(int64(first))
	out.Int(int64(last))
	out.Int(int64(step))
	writeStatuses(out, "@", i.ACLCategories(i.Container))
	out.Set(len(i.Tips))
	for _, tip := range i.Tips {
		out.BulkText(tip)
	}
	out.Set(len(i.Keys) + len(i.Searches))
	for _, k := range i.Keys {
		writeKeySpec(out, k)
	}
	for _, k := range i.Searches {
		writeKeySearch(out, k)
	}
	if len(i.Subs) == 0 {
		out.Set(0)
		return
	}
	out.Array(len(i.Subs))
	for _, sub := range i.Subs {
		sub.WriteInfo(out)
	}
}

func writeStatuses(out *resp.Reply, prefix string, words []string) {
	out.Set(len(words))
	for _, w := range words {
		out.Status(prefix + w)
	}
}

func writeKeySpec(out *resp.Reply, k KeySpec) {
	out.Map(3)
	out.BulkText("flags")
	writeStatuses(out, "", k.Flags.Names())
	writeStep(out, "begin_search", "index", intField{"index", k.First})
	writeStep(out, "find_keys", "range", intField{"lastkey", k.Last}, intField{"keystep", k.Step}, intField{"limit", 0})
}

func writeKeySearch(out *resp.Reply, k KeySearch) {
	out.Map(3)
	out.BulkText("flags")
	writeStatuses(out, "", k.Flags.Names())
	switch {
	case k.isUnknown():
		writeStep(out, "begin_search", "unknown")
		writeStep(out, "find_keys", "unknown")
		return
	case k.Word == "":
		writeStep(out, "begin_search", "index", intField{"index", k.Begin})
	default:
		writeStepHead(out, "begin_search", "keyword", 2)
		writeText(out, "keyword", k.Word)
		writeInt(out, "startfrom", k.Begin)
	}
	if k.Counted {
		writeStep(out, "find_keys", "keynum", intField{"keynumidx", 0}, intField{"firstkey", 1}, intField{"keystep", 1})
	} else {
		writeStep(out, "find_keys", "range", intField{"lastkey", k.Last}, intField{"keystep", 1}, intField{"limit", k.Limit})
	}
}

type intField struct {
	name string
	n    int
}

// writeStep appends one of the two steps of a key spec.
func writeStep(out *resp.Reply, step, kind string, spec ...intField) {
	writeStepHead(out, step, kind, len(spec))
	for _, f := range spec {
		writeInt(out, f.name, f.n)
	}
}

func writeStepHead(out *resp.Reply, step, kind string, fields int) {
	out.BulkText(step)
	out.Map(2)
	writeText(out, "type", kind)
	out.BulkText("spec")
	out.Map(fields)
}

// WriteDocs appends the command's name and its map of COMMAND DOCS.
func (i *Info) WriteDocs(out *resp.Reply) {
	out.BulkText(i.Full)
	fields := out.DeferArray()
	n := 0
	text := func(name, value string) {
		if value != "" {
			writeText(out, name, value)
			n++
		}
	}
	text("summary", i.Summary)
	text("since", i.Since)
	text("group", string(i.Group))
	text("complexity", i.Complexity)
	if len(i.History) > 0 {
		out.BulkText("history")
		out.Set(len(i.History))
		for _, h := range i.History {
			out.Array(2)
			out.BulkText(h[0])
			out.BulkText(h[1])
		}
		n++
	}
	if len(i.DocFlags) > 0 {
		out.BulkText("doc_flags")
		writeStatuses(out, "", i.DocFlags)
		n++
	}
	text("deprecated_since", i.DeprecatedSince)
	text("replaced_by", i.ReplacedBy)
	// A syntax line that does not parse is found by a test; here it tells nothing.
	if args, err := i.Arguments(); err == nil && len(args) > 0 {
		out.BulkText("arguments")
		writeArgs(out, args)
		n++
	}
	if len(i.Subs) > 0 {
		out.BulkText("subcommands")
		out.Map(len(i.Subs))
		for _, sub := range i.Subs {
			sub.WriteDocs(out)
		}
		n++
	}
	out.EndMap(fields, n)
}

func writeArgs(out *resp.Reply, args []Arg) {
	out.Array(len(args))
	for _, a := range args {
		writeArg(out, a)
	}
}

func writeArg(out *resp.Reply, a Arg) {
	fields, n := out.DeferArray(), 2
	writeText(out, "name", a.Name)
	writeText(out, "type", string(a.Type))
	if a.Type != ArgOneOf && a.Type != ArgBlock {
		writeText(out, "display_text", a.Display)
		n++
	}
	if a.KeySpec >= 0 {
		writeInt(out, "key_spec_index", a.KeySpec)
		n++
	}
	if a.Token != "" {
		writeText(out, "token", a.Token)
		n++
	}
	if flags := a.flagNames(); len(flags) > 0 {
		out.BulkText("flags")
		writeStatuses(out, "", flags)
		n++
	}
	if len(a.Args) > 0 {
		out.BulkText("arguments")
		writeArgs(out, a.Args)
		n++
	}
	out.EndMap(fields, n)
}

func (a *Arg) flagNames() []string {
	var names []string
	if a.Optional {
		names = append(names, "optional")
	}
	if a.Multiple {
		names = append(names, "multiple")
	}
	if a.MultipleToken {
		names = append(names, "multiple_token")
	}
	return names
}

func writeText(out *resp.Reply, name, value string) {
	out.BulkText(name)
	out.BulkText(value)
}

func writeInt(out *resp.Reply, name string, n int) {
	out.BulkText(name)
	out.Int(int64(n))
}
