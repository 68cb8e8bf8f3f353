package command

import (
	"coatcheck/engine"
	"coatcheck/resp"
)

// Objects is the family of OBJECT.
var Objects = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "OBJECT", Arity: -2,
		Group: GroupGeneric, Since: "2.2.3", Complexity: "As its subcommands.",
		Summary: "Tells how values are kept.",
	}, Subs: []Entry[*engine.Tx]{
		{Spec: objectSpec("ENCODING", "2.2.3", "Tells the encoding of a key's value."), Run: objectEncoding},
		{Spec: objectSpec("FREQ", "4.0.0", "Tells how often a key is used, on a logarithmic scale."), Run: objectFreq},
		{Spec: objectSpec("IDLETIME", "2.2.3", "Tells the seconds since a key was last used."), Run: objectIdletime},
		{Spec: objectSpec("REFCOUNT", "2.2.3", "Tells the number of references to a key's value."), Run: objectRefcount},
		{Spec: Spec{
			Name: "HELP", Arity: 2, Flags: Loading | Stale, Categories: []string{"keyspace"},
			Group: GroupGeneric, Since: "6.2.0", Complexity: "O(1)",
			Summary: "Lists the subcommands.",
		}, Run: objectHelp},
	}},
}

// objectSpec is what the subcommands about a key have in common.
func objectSpec(name, since, summary string) Spec {
	return Spec{
		Name: name, Syntax: "key", Arity: 3,
		Flags: ReadOnly, Keys: []KeySpec{{2, 0, 1, RO}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: since, Complexity: "O(1)", Summary: summary,
		Tips: []string{"nondeterministic_output"},
	}
}

// OBJECT ENCODING key
//
// Replies with its name, or null without a key.
func objectEncoding(tx *engine.Tx, in Args, out *resp.Reply) error {
	enc, ok := tx.EncodingOf(in[2])
	if !ok {
		out.Null()
		return nil
	}
	out.BulkText(enc.String())
	return nil
}

// OBJECT FREQ key
func objectFreq(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, ok, err := tx.FreqOf(in[2])
	return intOrNull(out, int64(n), ok, err)
}

// OBJECT IDLETIME key
func objectIdletime(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, ok, err := tx.IdleTimeOf(in[2])
	return intOrNull(out, n, ok, err)
}

// OBJECT REFCOUNT key
func objectRefcount(tx *engine.Tx, in Args, out *resp.Reply) error {
	n, ok := tx.ReferencesOf(in[2])
	return intOrNull(out, int64(n), ok, nil)
}

func intOrNull(out *resp.Reply, n int64, ok bool, err error) error {
	switch {
	case err != nil:
		return err
	case !ok:
		out.Null()
	default:
		out.Int(n)
	}
	return nil
}

// OBJECT HELP
func objectHelp(_ *engine.Tx, _ Args, out *resp.Reply) error {
	Help(out, "OBJECT",
		"ENCODING <key>", "How the value is kept.",
		"FREQ <key>", "How often the key is used, on a logarithmic scale: 0 to 255. Under an LFU policy only.",
		"IDLETIME <key>", "Seconds since the key was last used. Not under an LFU policy.",
		"REFCOUNT <key>", "References to the value: 1, or very many for a small integer.",
	)
	return nil
}

// Help replies with the lines of a container's HELP: pairs of a syntax and a
// sentence, with the frame around them that Redis gives.
func Help(out *resp.Reply, container string, pairs ...string) {
	out.Array(1 + len(pairs) + 2)
	out.Status(container + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for i := 0; i < len(pairs); i += 2 {
		out.Status(pairs[i])
		out.Status("    " + pairs[i+1])
	}
	out.Status("HELP")
	out.Status("    Prints this help.")
}
