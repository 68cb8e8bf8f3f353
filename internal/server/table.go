package server

import (
	"fmt"
	"strings"
	"sync"

	"coatcheck/engine"
	"coatcheck/internal/acl"
	"coatcheck/internal/command"
	"coatcheck/internal/config"
	"coatcheck/resp"
)

// Table finds commands by name and keeps each one's statistics.
type Table struct {
	byName map[string]*Cmd
	all    []*Cmd // commands in the table's order, without subcommands

	// last are the commands looked up last, by the spelling they came in:
	// clients send the same few over and over.
	last [lastSlots]lastCmd

	describe func() *command.Directory
}

// Directory describes all commands; made when first asked for.
func (t *Table) Directory() *command.Directory { return t.describe() }

const lastSlots = 16

type lastCmd struct {
	name string
	cmd  *Cmd
}

// Cmd is a command or subcommand in the table.
type Cmd struct {
	command.Spec
	FullName string // lower case: "get", "client|kill"
	Parent   *Cmd   // the container of a subcommand
	Subs     []*Cmd // in the table's order
	Stats    CmdStats

	acl    *acl.Command
	subs   map[string]*Cmd
	onData func(tx *engine.Tx, in command.Args, out *resp.Reply) error
	onConn func(c *Client, in command.Args, out *resp.Reply) error
}

// connection lists the families whose commands run on a client.
func connection() [][]command.Entry[*Client] {
	return [][]command.Entry[*Client]{
		connectionCommands,
		clientCommands,
		monitorCommands,
		multiCommands,
		pubsubCommands,
		aclCommands,
		configCommands,
		debugCommands,
		infoCommands,
		latencyCommands,
		lolwutCommands,
		memoryCommands,
		scriptCommands,
		migrateCommands,
		saveCommands,
		aofCommands,
		replCommands,
		sessionCommands,
		shutdownCommands,
		waitCommands,
		slowlogCommands,
		commandCommands,
		clusterCommands,
		moduleCommands,
	}
}

func newTable() *Table {
	t := &Table{byName: make(map[string]*Cmd, 256)}
	t.describe = sync.OnceValue(describeAll)
	for _, e := range command.Data() {
		t.add(newCmd(&e, nil, func(c *Cmd, e *command.Entry[*engine.Tx]) { c.onData = e.Run }))
	}
	for _, family := range connection() {
		for _, e := range family {
			t.add(newCmd(&e, nil, func(c *Cmd, e *command.Entry[*Client]) { c.onConn = e.Run }))
		}
	}
	return t
}

func describeAll() *command.Directory {
	families := [][]*command.Info{command.Describe(command.Data())}
	for _, family := range connection() {
		families = append(families, command.Describe(family))
	}
	return command.NewDirectory(families...)
}

// rulesTable is the commands as rules of users see them, the same for all servers.
var rulesTable = sync.OnceValue(func() *acl.Commands { return acl.NewCommands(describeAll()) })

func (t *Table) add(c *Cmd) {
	t.byName[c.FullName] = c
	t.all = append(t.all, c)
	c.acl = rulesTable().Find(c.FullName)
	for _, sub := range c.Subs {
		sub.acl = rulesTable().Find(sub.FullName)
	}
}

// newCmd makes the command of an entry with its subcommands; run tells how it
// is called.
func newCmd[C any](e *command.Entry[C], parent *Cmd, run func(*Cmd, *command.Entry[C])) *Cmd {
	c := &Cmd{Spec: e.Spec, FullName: strings.ToLower(e.Name), Parent: parent}
	if parent != nil {
		c.FullName = parent.FullName + "|" + c.FullName
	}
	run(c, e)
	for i := range e.Subs {
		sub := newCmd(&e.Subs[i], c, run)
		if c.subs == nil {
			c.subs = map[string]*Cmd{}
		}
		c.subs[strings.ToLower(sub.Name)] = sub
		c.Subs = append(c.Subs, sub)
	}
	return c
}

// All is every command in the table's order; subcommands are below theirs.
func (t *Table) All() []*Cmd { return t.all }

// Lookup finds a command by its name, "get" or "client|kill", in any case.
func (t *Table) Lookup(name string) *Cmd {
	name, sub, isSub := strings.Cut(strings.ToLower(name), "|")
	c := t.byName[name]
	if c != nil && isSub {
		return c.subs[sub]
	}
	return c
}

// find is the command that argv calls: a subcommand where the command has
// some. ok is false when there is none of that name; then cmd is the container
// in whose subcommands it was missing, or nil.
func (t *Table) find(argv [][]byte) (cmd *Cmd, ok bool) {
	cmd = t.byWord(argv[0])
	if cmd == nil {
		return nil, false
	}
	if len(argv) > 1 && cmd.subs != nil {
		var low [64]byte
		sub := cmd.subs[string(lower(low[:0], argv[1]))]
		if sub == nil {
			return cmd, false
		}
		return sub, true
	}
	return cmd, true
}

func (t *Table) byWord(word []byte) *Cmd {
	slot := &t.last[hashWord(word)%lastSlots]
	if slot.name == string(word) {
		return slot.cmd
	}
	var low [64]byte
	cmd := t.byName[string(lower(low[:0], word))]
	if cmd != nil {
		*slot = lastCmd{string(word), cmd}
	}
	return cmd
}

// hashWord tells common command names apart by their ends and length.
func hashWord(w []byte) uint {
	if len(w) == 0 {
		return 0
	}
	return uint(w[0])*7 + uint(w[len(w)-1])*3 + uint(len(w))
}

// lower appends word in lower case (ASCII, as command names are).
func lower(dst, word []byte) []byte {
	for _, b := range word {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		dst = append(dst, b)
	}
	return dst
}

// rename gives commands other names or takes them away, as rename-command says.
func (t *Table) rename(renames []config.Rename) error {
	for _, r := range renames {
		cmd := t.byName[r.From]
		if cmd == nil {
			return fmt.Errorf("rename-command %s: no such command", r.From)
		}
		delete(t.byName, r.From)
		if r.To == "" {
			continue
		}
		if t.byName[r.To] != nil {
			return fmt.Errorf("rename-command %s %s: a command of that name exists already", r.From, r.To)
		}
		t.byName[r.To] = cmd
	}
	return nil
}
