package command

import (
	"errors"
	"slices"
	"strings"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Introspection is the family of COMMAND and its subcommands, on whatever runs them; dir
// gives the directory that they tell of.
func Introspection[C any](dir func(C) *Directory) []Entry[C] {
	on := func(run func(d *Directory, in Args, out *resp.Reply) error) func(C, Args, *resp.Reply) error {
		return func(c C, in Args, out *resp.Reply) error { return run(dir(c), in, out) }
	}
	return []Entry[C]{{
		Spec: Spec{
			Name: "COMMAND", Syntax: "", Arity: -1, Flags: Loading | Stale,
			Group: GroupServer, Since: "2.8.13", Complexity: "O(N) in the number of commands",
			Summary:    "Tells all about all commands.",
			Categories: []string{"connection"}, Tips: []string{"nondeterministic_output_order"},
		}, Run: on(commandInfo), Subs: []Entry[C]{
			{Spec: Spec{
				Name: "COUNT", Arity: 2, Flags: Loading | Stale,
				Group: GroupServer, Since: "2.8.13", Complexity: "O(1)",
				Summary:    "Counts the commands.",
				Categories: []string{"connection"},
			}, Run: on(commandCount)},
			{Spec: Spec{
				Name: "DOCS", Syntax: "[command-name...]", Arity: -2, Flags: Loading | Stale,
				Group: GroupServer, Since: "7.0.0", Complexity: "O(N) in the number of commands told of",
				Summary:    "Tells what commands do and which arguments they take.",
				Categories: []string{"connection"}, Tips: []string{"nondeterministic_output_order"},
			}, Run: on(commandDocs)},
			{Spec: Spec{
				Name: "GETKEYS", Syntax: "command [arg...]", Arity: -3, Flags: Loading | Stale,
				Group: GroupServer, Since: "2.8.13", Complexity: "O(N) in the number of arguments",
				Summary:    "Finds the keys in a call of a command.",
				Categories: []string{"connection"},
			}, Run: on(commandGetKeys)},
			{Spec: Spec{
				Name: "GETKEYSANDFLAGS", Syntax: "command [arg...]", Arity: -3, Flags: Loading | Stale,
				Group: GroupServer, Since: "7.0.0", Complexity: "O(N) in the number of arguments",
				Summary:    "Finds the keys in a call of a command, and what it does with them.",
				Categories: []string{"connection"},
			}, Run: on(commandGetKeysAndFlags)},
			{Spec: Spec{
				Name: "HELP", Arity: 2, Flags: Loading | Stale,
				Group: GroupServer, Since: "5.0.0", Complexity: "O(1)",
				Summary:    "Tells of the subcommands.",
				Categories: []string{"connection"},
			}, Run: on(commandHelp)},
			{Spec: Spec{
				Name: "INFO", Syntax: "[command-name...]", Arity: -2, Flags: Loading | Stale,
				Group: GroupServer, Since: "2.8.13", Complexity: "O(N) in the number of commands told of",
				Summary:    "Tells of one, several or all commands.",
				History:    [][2]string{{"7.0.0", "Without names, all commands are told of."}},
				Categories: []string{"connection"}, Tips: []string{"nondeterministic_output_order"},
			}, Run: on(commandInfo)},
			{Spec: Spec{
				Name:   "LIST",
				Syntax: "filterby:[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern:pattern>]",
				Arity:  -2, Flags: Loading | Stale,
				Group: GroupServer, Since: "7.0.0", Complexity: "O(N) in the number of commands",
				Summary:    "Lists the names of all commands, or of some.",
				Categories: []string{"connection"}, Tips: []string{"nondeterministic_output_order"},
			}, Run: on(commandList)},
		},
	}}
}

// COMMAND
// COMMAND INFO [command-name ...]
//
// Replies with a row for each command, null for a name that is none; without
// names for all.
func commandInfo(d *Directory, in Args, out *resp.Reply) error {
	if len(in) <= 2 {
		out.Array(len(d.All()))
		for _, info := range d.All() {
			info.WriteInfo(out)
		}
		return nil
	}
	out.Array(len(in) - 2)
	for _, name := range in[2:] {
		if info := d.Find(string(name)); info != nil {
			info.WriteInfo(out)
		} else {
			out.Null()
		}
	}
	return nil
}

// COMMAND COUNT
//
// Replies with the number of commands, subcommands not counted.
func commandCount(d *Directory, _ Args, out *resp.Reply) error {
	out.Int(int64(len(d.All())))
	return nil
}

// COMMAND DOCS [command-name ...]
//
// Replies with a map from names to maps; names that are none are left out.
func commandDocs(d *Directory, in Args, out *resp.Reply) error {
	infos := d.All()
	if len(in) > 2 {
		infos = nil
		for _, name := range in[2:] {
			if info := d.Find(string(name)); info != nil {
				infos = append(infos, info)
			}
		}
	}
	out.Map(len(infos))
	for _, info := range infos {
		info.WriteDocs(out)
	}
	return nil
}

// COMMAND LIST [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]
//
// Replies with the full names of commands and subcommands.
func commandList(d *Directory, in Args, out *resp.Reply) error {
	keep := func(*Info) bool { return true }
	if len(in) != 2 {
		var err error
		if keep, err = commandFilter(in[2:]); err != nil {
			return err
		}
	}
	list, n := out.DeferArray(), 0
	for _, info := range d.All() {
		for _, c := range append([]*Info{info}, info.Subs...) {
			if keep(c) {
				out.BulkText(c.Full)
				n++
			}
		}
	}
	out.EndArray(list, n)
	return nil
}

func commandFilter(words Args) (func(*Info) bool, error) {
	if len(words) != 3 || !strings.EqualFold(string(words[0]), "FILTERBY") {
		return nil, errs.Syntax
	}
	value := string(words[2])
	switch strings.ToUpper(string(words[1])) {
	case "MODULE": // there are none
		return func(*Info) bool { return false }, nil
	case "ACLCAT":
		category := strings.ToLower(value)
		return func(i *Info) bool { return slices.Contains(i.ACLCategories(i.Container), category) }, nil
	case "PATTERN":
		return func(i *Info) bool { return engine.MatchFold(words[2], []byte(i.Full)) }, nil
	}
	return nil, errs.Syntax
}

// COMMAND GETKEYS command [arg ...]
//
// Replies with the keys in the call.
func commandGetKeys(d *Directory, in Args, out *resp.Reply) error {
	refs, err := d.callKeys(in[2:])
	if err != nil {
		return err
	}
	out.Array(len(refs))
	for _, ref := range refs {
		out.BulkString(in[2+ref.Pos])
	}
	return nil
}

// COMMAND GETKEYSANDFLAGS command [arg ...]
//
// Replies with pairs of a key and a set of what is done with it.
func commandGetKeysAndFlags(d *Directory, in Args, out *resp.Reply) error {
	refs, err := d.callKeys(in[2:])
	if err != nil {
		return err
	}
	out.Array(len(refs))
	for _, ref := range refs {
		out.Array(2)
		out.BulkString(in[2+ref.Pos])
		writeStatuses(out, "", ref.Flags.Names())
	}
	return nil
}

// callKeys finds the keys of a call that someone asks about.
func (d *Directory) callKeys(call Args) ([]KeyRef, error) {
	info := d.Call(call)
	switch {
	case info == nil:
		return nil, errs.InvalidCommand
	case !info.HasKeys():
		return nil, errs.NoKeyArguments
	case !info.AcceptsArity(len(call)):
		return nil, errs.InvalidArity
	}
	refs, err := info.FindKeys(call)
	if errors.Is(err, ErrArgs) {
		return nil, errs.InvalidArguments
	}
	return refs, err
}

// COMMAND HELP
func commandHelp(d *Directory, _ Args, out *resp.Reply) error {
	d.Find("command").WriteHelp(out)
	return nil
}
