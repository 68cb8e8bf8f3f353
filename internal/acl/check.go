package acl

import (
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
)

// Reason is why a call, or a login, is denied.
type Reason uint8

// The reasons. Of several, as selectors may have, the greatest is told.
const (
	Allowed Reason = iota
	DeniedCommand
	DeniedKey
	DeniedChannel
	DeniedAuth
)

// String is the reason's name in ACL LOG.
func (r Reason) String() string {
	return [...]string{"", "command", "key", "channel", "auth"}[r]
}

// Denial is a call that its user may not make.
type Denial struct {
	Reason Reason
	User   string
	// Object is what the user lacks: a command's full name, a key or a channel.
	Object string
}

func (d *Denial) brief() string {
	switch d.Reason {
	case DeniedKey:
		return "No permissions to access a key"
	case DeniedChannel:
		return "No permissions to access a channel"
	}
	return d.Long()
}

// Reply is the reply to the call, in the words of Redis 7.2.
func (d *Denial) Reply() error { return &errs.Error{Code: "NOPERM", Text: d.brief()} }

// Long names the object, for ACL DRYRUN.
func (d *Denial) Long() string {
	switch d.Reason {
	case DeniedKey:
		return "User " + d.User + " has no permissions to access the '" + d.Object + "' key"
	case DeniedChannel:
		return "User " + d.User + " has no permissions to access the '" + d.Object + "' channel"
	}
	return "User " + d.User + " has no permissions to run the '" + d.Object + "' command"
}

// InExec is the error in the reply of EXEC to a call that was allowed when it was
// queued.
func (d *Denial) InExec() error {
	why := "no permission to execute the command or subcommand"
	switch d.Reason {
	case DeniedKey:
		why = "no permission to touch the specified keys"
	case DeniedChannel:
		why = "no permission to access one of the channels used as arguments to the command"
	}
	return &errs.Error{Code: "NOPERM", Text: "ACLs rules changed between the moment the transaction was accumulated and the EXEC call. " +
		"This command is no longer allowed for the following reason: " + why}
}

// InScript is the error that a script gets from a call.
func (d *Denial) InScript() error {
	return &errs.Error{Code: "NOPERM", Text: "ACL failure in script: " + d.brief()}
}

// Check says why the user may not make a call, nil when it may. argv may be of any
// content and length but none.
//
// As in Redis, one selector has to allow all of it. Where none does, the denial is
// the one that came furthest: a channel before a key before the command. Redis
// asks only for the keys that it finds by key specs; here those count too that a
// command would use beyond them (GEORADIUS with STORE twice).
func (u *User) Check(cmd *Command, argv command.Args) *Denial {
	if u.unlimited {
		return nil
	}
	c := call{cmd: cmd, argv: argv}
	worst, at := DeniedCommand, 0
	for _, s := range u.selectors {
		reason, pos := c.deniedBy(s)
		if reason == Allowed {
			return nil
		}
		if reason > worst || reason == worst && pos > at {
			worst, at = reason, pos
		}
	}
	object := cmd.Full
	if worst != DeniedCommand {
		object = string(argv[at])
	}
	return &Denial{Reason: worst, User: u.Name, Object: object}
}

// ReadsUnnamedKeys says whether the user may make a call and, by the same
// selector, read every key: SORT's BY and GET reach keys that nothing names.
func (u *User) ReadsUnnamedKeys(cmd *Command, argv command.Args) bool {
	if u.unlimited {
		return true
	}
	c := call{cmd: cmd, argv: argv}
	for _, s := range u.selectors {
		if reason, _ := c.deniedBy(s); reason == Allowed && s.readsAllKeys() {
			return true
		}
	}
	return false
}

// call is a call that selectors look at, with its keys once they are found.
type call struct {
	cmd   *Command
	argv  command.Args
	keys  []command.KeyRef
	found bool
}

func (c *call) deniedBy(s *selector) (Reason, int) {
	if !s.allowsCommand(c.cmd, c.argv) {
		return DeniedCommand, 0
	}
	if !s.allKeys && c.cmd.HasKeys() {
		for _, ref := range c.keyRefs() {
			if !s.allowsKey(c.argv[ref.Pos], accessOf(ref.Flags)) {
				return DeniedKey, ref.Pos
			}
		}
	}
	if ch := c.cmd.Channels; ch.First > 0 && !s.allChannels {
		last := ch.First + ch.Last
		if ch.Last < 0 {
			last = len(c.argv) + ch.Last
		}
		for pos := ch.First; pos <= min(last, len(c.argv)-1); pos++ {
			if !s.allowsChannel(c.argv[pos], ch.Pattern) {
				return DeniedChannel, pos
			}
		}
	}
	return Allowed, 0
}

func (c *call) keyRefs() []command.KeyRef {
	if !c.found {
		c.keys, c.found = c.cmd.AppendTouched(c.keys, c.argv), true
	}
	return c.keys
}
