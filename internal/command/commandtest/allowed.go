package commandtest

// What our table tells otherwise than the redis-server that tests run, 7.0.15:
// mostly where 7.2, which we follow, differs from it.

// since72 is commands that came with 7.2.
var since72 = []string{
	"client|no-touch", "client|setinfo", "cluster|myshardid",
}

// missing is subcommands that we do not have (yet).
var missing = []string{
	"acl|deluser", "acl|dryrun", "acl|load", "acl|log", "acl|save", "acl|setuser", // with ACL users
}

// names72 gives arguments the names they have in 7.2: command, then 7.0's name.
var names72 = map[string]map[string]string{
	"hello":      {"username_password": "auth"},
	"flushall":   {"async": "flush-type"},
	"flushdb":    {"async": "flush-type"},
	"config|set": {"parameter_value": "data"},
	"mset":       {"key_value": "data"},
	"msetnx":     {"key_value": "data"},

	"cluster|addslotsrange": {"start-slot_end-slot": "range"},
	"cluster|delslotsrange": {"start-slot_end-slot": "range"},
	"cluster|meet":          {"cluster_bus_port": "cluster-bus-port"},
	"cluster|reset":         {"hard_soft": "reset-type"},
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
	// 7.2 names its alternatives, takes yes and no for SKIPME; MAXAGE is 7.4's.
	"client|kill": {"arguments filter/oneof{old-format/string new-format/oneof,multiple{client-id/integer@ID,optional" +
		" client-type/oneof@TYPE,optional{normal/pure-token@NORMAL master/pure-token@MASTER slave/pure-token@SLAVE" +
		" replica/pure-token@REPLICA pubsub/pure-token@PUBSUB} username/string@USER,optional addr/string@ADDR,optional" +
		" laddr/string@LADDR,optional skipme/oneof@SKIPME,optional{yes/pure-token@YES no/pure-token@NO} maxage/integer@MAXAGE,optional}}"},
	"client|list": {"arguments client-type/oneof@TYPE,optional{normal/pure-token@NORMAL master/pure-token@MASTER" +
		" replica/pure-token@REPLICA pubsub/pure-token@PUBSUB} client-id/integer@ID,optional,multiple"},
	// 7.0 makes a block of the arguments behind ARGS.
	"module|loadex": {"arguments path/string configs/block@CONFIG,optional,multiple,multiple_token{name/string value/string}" +
		" args/string@ARGS,optional,multiple"},
	// 7.0 calls two arguments "len".
	"lcs": {"arguments key1/key#0 key2/key#0 len/pure-token@LEN,optional idx/pure-token@IDX,optional" +
		" min-match-len/integer@MINMATCHLEN,optional withmatchlen/pure-token@WITHMATCHLEN,optional"},
	// 7.2 says what does better what these do.
	"quit":   {`doc_flags *[+deprecated]`, `deprecated_since $"7.2.0"`, `replaced_by $"just closing the connection"`},
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
