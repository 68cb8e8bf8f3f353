// Package acl knows users: their passwords, the rules that say what they may
// run, read, write and listen to, whether a call keeps to them, and the log of
// those that did not. It knows no clients, sockets or files.
//
// Nothing here locks: everything is guarded by who uses it, the server by the
// engine's lock.
package acl

import (
	"slices"
	"strings"

	"coatcheck/internal/command"
)

// maxCommands is how many commands and subcommands a bitmap has room for.
const maxCommands = 1024

// bitmap is a set of commands, by their IDs.
type bitmap [maxCommands / 64]uint64

func (b *bitmap) has(id int) bool { return b[id/64]&(1<<(id%64)) != 0 }

func (b *bitmap) set(id int, to bool) {
	if to {
		b[id/64] |= 1 << (id % 64)
	} else {
		b[id/64] &^= 1 << (id % 64)
	}
}

func (b *bitmap) setAll(to bool) {
	for i := range b {
		b[i] = 0
		if to {
			b[i] = ^uint64(0)
		}
	}
}

// Command is a command or subcommand as rules see it.
type Command struct {
	*command.Spec
	ID     int
	Full   string // lower case: "get", "client|kill"
	Parent *Command
	Subs   []*Command

	categories uint32 // a bit for each of command.Categories
}

// Commands are the commands that rules may name. It never changes.
type Commands struct {
	all    []*Command // containers before their subcommands
	byFull map[string]*Command
}

// NewCommands takes the commands of a directory, under the names they have in
// the table whatever rename-command says.
func NewCommands(dir *command.Directory) *Commands {
	c := &Commands{byFull: map[string]*Command{}}
	for _, info := range dir.All() {
		top := c.add(info, nil)
		for _, sub := range info.Subs {
			top.Subs = append(top.Subs, c.add(sub, top))
		}
	}
	return c
}

func (c *Commands) add(info *command.Info, parent *Command) *Command {
	if len(c.all) == maxCommands {
		panic("acl: more commands than a bitmap has room for")
	}
	cmd := &Command{Spec: info.Spec, ID: len(c.all), Full: info.Full, Parent: parent}
	for _, name := range info.ACLCategories(info.Container) {
		cmd.categories |= categoryBit(name)
	}
	c.all = append(c.all, cmd)
	c.byFull[cmd.Full] = cmd
	return cmd
}

// categoryBit is 0 for a name, in any case, that is no category.
func categoryBit(name string) uint32 {
	i := slices.IndexFunc(command.Categories, func(c string) bool { return strings.EqualFold(c, name) })
	if i < 0 {
		return 0
	}
	return 1 << i
}

// Find returns the command of a full name in any case, nil when there is none.
func (c *Commands) Find(full string) *Command { return c.byFull[strings.ToLower(full)] }
