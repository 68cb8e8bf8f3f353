package commandtest

// What our table tells otherwise than the redis-server that tests run, 7.0.15:
// mostly where 7.2, which we follow, differs from it.

// since72 is commands that came with 7.2.
var since72 = []string{
	"client|no-touch", "client|setinfo",
}

// missing is subcommands that we do not have (yet).
var missing = []string{}

// names72 gives arguments the names they have in 7.2: command, then 7.0's name.
var names72 = map[string]map[string]string{
	"flushall": {"async": "flush-type"},
	"flushdb":  {"async": "flush-type"},
	"mset":     {"key_value": "data"},
	"msetnx":   {"key_value": "data"},
}

func renamed(full, name, typ string) string {
	if to, ok := names72[full][name]; ok {
		if name == "async" && typ != "oneof" {
			return name
		}
		return to
	}
	return name
}

// allowed is lines of ours that may differ, by command.
var allowed = map[string][]string{
	// 7.2 asks for the command's name only, and tells so in arguments.
	"command|getkeys":         {"arity :-3", "arguments command/string arg/string,optional,multiple"},
	"command|getkeysandflags": {"arity :-3", "arguments command/string arg/string,optional,multiple"},
	// 7.0 calls two arguments "len".
	"lcs": {"arguments key1/key#0 key2/key#0 len/pure-token@LEN,optional idx/pure-token@IDX,optional" +
		" min-match-len/integer@MINMATCHLEN,optional withmatchlen/pure-token@WITHMATCHLEN,optional"},
	// 7.2 says that SET does what these do.
	"psetex": {`doc_flags *[+deprecated]`, `deprecated_since $"2.6.12"`, "replaced_by $\"`SET` with the `PX` argument\""},
	"setex":  {`doc_flags *[+deprecated]`, `deprecated_since $"2.6.12"`, "replaced_by $\"`SET` with the `EX` argument\""},
	"setnx":  {`doc_flags *[+deprecated]`, `deprecated_since $"2.6.12"`, "replaced_by $\"`SET` with the `NX` argument\""},
}

func isAllowed(full, line string) bool {
	for _, l := range allowed[full] {
		if l == line {
			return true
		}
	}
	return false
}
