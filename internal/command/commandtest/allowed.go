package commandtest

// What our table tells otherwise than the redis-server that tests run, 7.0.15:
// mostly where 7.2, which we follow, differs from it.

// since72 is commands that came with 7.2.
var since72 = []string{
	"client|no-touch", "client|setinfo", "cluster|myshardid", "waitaof",
}

// since74 is commands that came later still, and that we have all the same.
var since74 = []string{
	"hexpire", "hpexpire", "hexpireat", "hpexpireat", "httl", "hpttl", "hexpiretime", "hpexpiretime", "hpersist",
	"hgetdel", "hgetex", "hsetex",
}

// own is commands that no Redis has.
var own = []string{"session.events", "session.info", "session.list", "session.revoke", "session.stats", "session.users"}

// missing is subcommands that we do not have (yet).
var missing = []string{
	"acl|deluser", "acl|dryrun", "acl|load", "acl|log", "acl|save", "acl|setuser", // with ACL users
}

// names72 gives arguments the names they have in 7.2: command, then 7.0's name, with
// its type where there are several of that name.
var names72 = map[string]map[string]string{
	"hello":        {"username_password": "auth"},
	"flushall":     {"async/oneof": "flush-type"},
	"flushdb":      {"async/oneof": "flush-type"},
	"script|flush": {"async/oneof": "flush-type"},
	"config|set":   {"parameter_value": "data"},
	"mset":         {"key_value": "data"},
	"msetnx":       {"key_value": "data"},
	"zadd":         {"score_member": "data"},
	"geoadd":       {"longitude_latitude_member": "data"},

	"zrange":           {"offset_count": "limit"},
	"zrangestore":      {"offset_count": "limit"},
	"zrangebylex":      {"offset_count": "limit"},
	"zrangebyscore":    {"offset_count": "limit"},
	"zrevrangebylex":   {"offset_count": "limit"},
	"zrevrangebyscore": {"offset_count": "limit"},
	"bitcount":         {"index": "range", "index_unit": "unit"},
	"bitpos":           {"index": "range", "end_index": "end-unit-block", "index_unit": "unit"},
	"bitfield": {
		"encoding_offset": "get-block", "wrap_sat_fail": "overflow-block", "write_operation": "write-operation",
		"encoding_offset_value": "set-block", "encoding_offset_increment": "incrby-block",
	},
	"bitfield_ro": {"encoding_offset": "get-block"},
	"hset":        {"field_value": "data"},
	"hmset":       {"field_value": "data"},

	"xadd":                  {"id_or_auto": "id-selector", "auto_id": "auto-id", "field_value": "data"},
	"xgroup|create":         {"groupname": "group", "new_id": "new-id", "entries_read": "entriesread", "id/oneof": "id-selector"},
	"xgroup|setid":          {"groupname": "group", "new_id": "new-id", "entries_read": "entriesread", "id/oneof": "id-selector"},
	"xgroup|destroy":        {"groupname": "group"},
	"xgroup|createconsumer": {"groupname": "group", "consumername": "consumer"},
	"xgroup|delconsumer":    {"groupname": "group", "consumername": "consumer"},
	"xinfo|consumers":       {"groupname": "group"},
	"xreadgroup":            {"group_consumer": "group-block"},
	"xsetid":                {"entries_added": "entries-added", "max_deleted_entry_id": "max-deleted-id"},

	"geosearch":            {"longitude_latitude": "fromlonlat", "count/block": "count-block"},
	"geosearchstore":       {"longitude_latitude": "fromlonlat", "count/block": "count-block"},
	"georadius_ro":         {"count/block": "count-block"},
	"georadiusbymember_ro": {"count/block": "count-block"},

	"cluster|addslotsrange": {"start-slot_end-slot": "range"},
	"cluster|delslotsrange": {"start-slot_end-slot": "range"},
	"cluster|meet":          {"cluster_bus_port": "cluster-bus-port"},
	"cluster|reset":         {"hard_soft": "reset-type"},
}

// longer is commands that take more arguments than with 7.0: it refuses to tell the
// keys of calls with so many.
var longer = map[string]int{"zrank": 3, "zrevrank": 3}

func renamed(full, name, typ string) string {
	for _, from := range []string{name, name + "/" + typ} {
		if to, ok := names72[full][from]; ok {
			return to
		}
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
	// WITHSCORE is 7.2's.
	"zrank":    {"arity :-3", "arguments key/key#0 member/string withscore/pure-token@WITHSCORE,optional"},
	"zrevrank": {"arity :-3", "arguments key/key#0 member/string withscore/pure-token@WITHSCORE,optional"},
	// 7.0 calls two arguments "id".
	"xclaim": {"arguments key/key#0 group/string consumer/string min-idle-time/string id/string,multiple ms/integer@IDLE,optional" +
		" unix-time-milliseconds/unix-time@TIME,optional count/integer@RETRYCOUNT,optional force/pure-token@FORCE,optional" +
		" justid/pure-token@JUSTID,optional lastid/string@LASTID,optional"},
	// 7.2 has FULL as an argument of its own.
	"xinfo|stream": {"arguments key/key#0 full-block/block,optional{full/pure-token@FULL count/integer@COUNT,optional}"},
	// 7.2 tells how a cluster's clients are to ask.
	"acl|deluser": {tipsAllNodes}, "acl|save": {tipsAllNodes}, "acl|setuser": {tipsAllNodes},
	// 7.2 has other names for two arguments that 7.0 calls "pattern".
	"sort":    {sortArgs + " destination/key@STORE#2,optional"},
	"sort_ro": {sortArgs},
	// 7.2 has other names, and shows the empty key as quotes.
	"migrate": {`arguments host/string port/integer key-selector/oneof{key/key#0 empty-string/pure-token@""} destination-db/integer timeout/integer` +
		" copy/pure-token@COPY,optional replace/pure-token@REPLACE,optional authentication/oneof,optional{auth/string@AUTH" +
		" auth2/block@AUTH2{username/string password/string}} keys/key@KEYS#1,optional,multiple"},
	// 7.2 says that it may be one alone.
	"pfmerge": {"arguments destkey/key#0 sourcekey/key#1,optional,multiple"},
	// 7.2 says what the operations are.
	"bitop": {"arguments operation/oneof{and/pure-token@AND or/pure-token@OR xor/pure-token@XOR not/pure-token@NOT} destkey/key#0 key/key#1,multiple"},
	// NOVALUES is 7.4's.
	"hscan": {"arguments key/key#0 cursor/integer pattern/pattern@MATCH,optional count/integer@COUNT,optional novalues/pure-token@NOVALUES,optional"},
	// 7.2 asks for no member.
	"geohash": {"arguments key/key#0 member/string,optional,multiple"},
	"geopos":  {"arguments key/key#0 member/string,optional,multiple"},
	// 7.2 calls STORE and STOREDIST alternatives.
	"georadius":         {"arguments key/key#0 longitude/double latitude/double" + radiusArgs},
	"georadiusbymember": {"arguments key/key#0 member/string" + radiusArgs},
	// 7.2 says what does better what these do.
	"quit":   {`doc_flags *[+deprecated]`, `deprecated_since $"7.2.0"`, `replaced_by $"just closing the connection"`},
	"psetex": {`doc_flags *[+deprecated]`, `deprecated_since $"2.6.12"`, "replaced_by $\"`SET` with the `PX` argument\""},
	"setex":  {`doc_flags *[+deprecated]`, `deprecated_since $"2.6.12"`, "replaced_by $\"`SET` with the `EX` argument\""},
	"setnx":  {`doc_flags *[+deprecated]`, `deprecated_since $"2.6.12"`, "replaced_by $\"`SET` with the `NX` argument\""},
}

const tipsAllNodes = `tips *[$"request_policy:all_nodes" $"response_policy:all_succeeded"]`

const sortArgs = "arguments key/key#0 by-pattern/pattern@BY#1,optional limit/block@LIMIT,optional{offset/integer count/integer}" +
	" get-pattern/pattern@GET#1,optional,multiple,multiple_token order/oneof,optional{asc/pure-token@ASC desc/pure-token@DESC}" +
	" sorting/pure-token@ALPHA,optional"

const radiusArgs = " radius/double unit/oneof{m/pure-token@M km/pure-token@KM ft/pure-token@FT mi/pure-token@MI}" +
	" withcoord/pure-token@WITHCOORD,optional withdist/pure-token@WITHDIST,optional withhash/pure-token@WITHHASH,optional" +
	" count-block/block,optional{count/integer@COUNT any/pure-token@ANY,optional}" +
	" order/oneof,optional{asc/pure-token@ASC desc/pure-token@DESC}" +
	" store/oneof,optional{storekey/key@STORE#1 storedistkey/key@STOREDIST#2}"

func isAllowed(full, line string) bool {
	for _, l := range allowed[full] {
		if l == line {
			return true
		}
	}
	return false
}
