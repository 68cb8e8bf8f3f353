// Package command is the command table: a file per family, the table on top
// and the handlers below. COMMAND, COMMAND DOCS, GETKEYS, ACL categories and
// the documentation follow from it. It knows nothing of clients or sockets.
package command

import (
	"coatcheck/engine"
	"coatcheck/resp"
)

// Args is a command's argv, with the name in front. It points into the query
// buffer and is good until Run returns.
type Args [][]byte

// Flags say what kind of command it is, in Redis' words.
type Flags uint32

// The flags of COMMAND INFO.
const (
	Write Flags = 1 << iota
	ReadOnly
	DenyOOM
	Admin
	PubSub
	NoScript
	Blocking
	Loading
	Stale
	SkipMonitor
	SkipSlowlog
	Asking
	Fast
	NoAuth
	MayReplicate
	NoAsyncLoading
	NoMulti
	AllowBusy
	NoMandatoryKeys
	MovableKeys
	Protected // needs enable-debug-command and the like
	SentinelOnly
	TouchesArbitraryKeys
	// Slow-by-nature commands of ours may run in slices (see More).
	Sliced
	// InPubSub: a client of RESP2 with subscriptions may call it.
	InPubSub
	// InMulti: it runs at once also between MULTI and EXEC, where others are queued.
	InMulti
	// RunsQueue: it runs what was queued (EXEC).
	RunsQueue
	// RunsScript: it runs scripts (EVAL).
	RunsScript
	// AsksDisk: refused like one that writes while nothing can be kept.
	AsksDisk
)

// Group is the family a command belongs to in COMMAND DOCS.
type Group string

// The groups, as Redis' documentation names them.
const (
	GroupGeneric      Group = "generic"
	GroupString       Group = "string"
	GroupList         Group = "list"
	GroupSet          Group = "set"
	GroupSortedSet    Group = "sorted-set"
	GroupHash         Group = "hash"
	GroupPubSub       Group = "pubsub"
	GroupTransactions Group = "transactions"
	GroupConnection   Group = "connection"
	GroupServer       Group = "server"
	GroupScripting    Group = "scripting"
	GroupHyperLogLog  Group = "hyperloglog"
	GroupGeo          Group = "geo"
	GroupStream       Group = "stream"
	GroupBitmap       Group = "bitmap"
	GroupCluster      Group = "cluster"
)

// KeyFlags say what a command does with the keys of one key spec.
type KeyFlags uint16

// The flags of a key spec, as COMMAND INFO prints them.
const (
	RO KeyFlags = 1 << iota
	RW
	OW
	RM
	Access
	Update
	Insert
	Delete
	NotKey
	Incomplete
	VariableFlags
)

// KeySpec says where keys stand in argv. First counts from 1; Last counts from
// First, negative from the end; Step is the distance between keys.
type KeySpec struct {
	First, Last, Step int
	Flags             KeyFlags
}

// KeySearch says where keys stand in argv that stand at no fixed place. Places
// count from 0, the command's name. The zero value but for Flags is a search
// that nobody can follow: COMMAND INFO calls it unknown, and KeysOf tells.
type KeySearch struct {
	// Begin is where the search begins: at this place or, when Word is not
	// empty, behind the first argument that is Word. Then Begin is where to look
	// for it from; a negative one counts from the end and looks backwards.
	Begin int
	Word  string // in capitals
	// Counted says that a number of keys stands at the beginning, and the keys
	// behind it.
	Counted bool
	// Last counts from the beginning, negative from the end of argv; Limit 2
	// means that only the first half of what follows is keys. Not for Counted.
	Last, Limit int
	Flags       KeyFlags
}

// ChannelSpec says where channels of pub/sub stand in argv; without First there
// are none that need a permission. Last counts as KeySpec's does.
type ChannelSpec struct {
	First, Last int
	Pattern     bool // they are patterns
}

// Spec says all there is to know of a command without running it.
type Spec struct {
	Name   string // in capitals; a subcommand's own word only: "KILL"
	Syntax string // machine-readable, see syntax.go
	Arity  int    // with the name (and subcommand) counted; negative: at least
	Flags  Flags
	Keys   []KeySpec
	// Searches find keys that stand elsewhere; they come behind Keys.
	Searches []KeySearch
	// KeysOf, unless nil, finds the keys of a call that Keys and Searches do not:
	// none when the call makes no sense. argv may be of any length and content.
	KeysOf func(in Args) []KeyRef
	// Unnamed, unless nil, is why a user who may not read every key is refused a
	// call that reads keys which nothing names (SORT's BY and GET); nil for a call
	// that does not, or that is wrong before it comes to that.
	Unnamed func(in Args) error
	// Channels are those that the caller needs a permission for.
	Channels ChannelSpec
	// KeyFlagsOf is, for a key spec with VariableFlags, what a particular call
	// does with its key. argv may be of any length and content.
	KeyFlagsOf func(in Args) KeyFlags
	Group      Group
	Since      string
	Complexity string
	Summary    string
	// Categories beyond those that follow from the flags and the group, as
	// in ACL CAT: "dangerous", "keyspace", …
	Categories []string
	Tips       []string
	History    [][2]string // version, what changed
	DocFlags   []string    // "deprecated", "syscmd"
	// DeprecatedSince and ReplacedBy belong to the doc flag "deprecated".
	DeprecatedSince, ReplacedBy string
}

// Entry is a row of the table. C is what its handler runs on: *engine.Tx for
// commands about data, the server's client for commands about a connection.
// A container (CLIENT, CONFIG, …) has Subs and usually no Run.
type Entry[C any] struct {
	Spec
	Run  func(c C, in Args, out *resp.Reply) error
	Subs []Entry[C]
}

// More is returned as an error by a handler that has done a slice of a long
// walk (KEYS): the server calls Step again, in a unit of its own, after it has
// served other clients, until done. Inside MULTI or a script it is called until
// done at once. The client's later commands wait.
type More struct {
	// Step does one slice of about a thousand keys. The reply may come in
	// parts: what a step has appended to out stands and may be sent at once. An
	// error comes before any part.
	Step func(tx *engine.Tx, out *resp.Reply) (done bool, err error)
}

// Error implements error; nobody sees the text.
func (*More) Error() string { return "command: more to do" }
