package server

import (
	"errors"
	"net/netip"
	"strings"

	"coatcheck/engine/errs"
	"coatcheck/internal/command"
)

// The gates, in Redis' order (server.c, processCommand): does the command exist,
// has it the right number of arguments, is it allowed at all, to this client,
// with the memory at hand, and now.

// errPaused is what the last gate says of a command that has to wait.
var errPaused = errors.New("server: paused")

// gate says why a command may not run. ok and cmd are what Table.find returned.
func (s *Server) gate(c *Client, cmd *Cmd, ok bool, argv [][]byte) error {
	if !ok {
		return unknownCommand(cmd, argv)
	}
	if !cmd.AcceptsArity(len(argv)) || cmd.onData == nil && cmd.onConn == nil {
		return errs.WrongArity(cmd.FullName)
	}
	if cmd.Flags&command.Protected != 0 && !s.allowsProtected(c) {
		return errProtected(cmd)
	}
	if !c.authenticated && cmd.Flags&command.NoAuth == 0 && s.authRequired(c) {
		return errNoAuth
	}
	if c.multi != nil && cmd.Flags&command.NoMulti != 0 {
		return errNotInMulti
	}
	flags := c.flagsOf(cmd)
	if err := s.checkUser(c, cmd, argv); err != nil {
		return err
	}
	if s.scripts.busy != nil && flags&command.AllowBusy == 0 {
		return errBusyScript
	}
	// As in Redis, any command evicts what is too much, also one that may run
	// without room. Queues need some.
	if s.outOfMemory() && (flags&command.DenyOOM != 0 || c.isQueued(cmd)) {
		return errs.OOM
	}
	if c.proto == 2 && c.subs.Total() > 0 && cmd.Flags&command.InPubSub == 0 {
		return errInPubSub(cmd)
	}
	if (c.monitor || c.isReplica()) && flags&(command.Write|command.ReadOnly|command.MayReplicate) != 0 {
		return errMonitoring
	}
	if err := s.checkUnnamed(c, cmd, argv); err != nil {
		return err
	}
	switch {
	case flags&command.Write != 0:
		if err := s.cannotWrite(); err != nil {
			return err
		}
	case flags&command.AsksDisk != 0:
		if err := s.cannotKeep(); err != nil {
			return err
		}
	}
	if s.saves.loading != nil && flags&command.Loading == 0 {
		return errLoading
	}
	if s.isPaused(c, cmd) {
		return errPaused
	}
	return nil
}

// cannotKeep says why what is written could not be kept, nil when it can.
func (s *Server) cannotKeep() error {
	if s.cannotSave() {
		return errMisconf
	}
	return s.cannotLog()
}

// cannotWrite says why commands that write are refused for now, nil when they are not.
func (s *Server) cannotWrite() error {
	if err := s.cannotKeep(); err != nil {
		return err
	}
	if s.lacksReplicas() {
		return errNoReplicas
	}
	return nil
}

// errInPubSub is about a client of RESP2 that has subscribed: it could not tell
// replies from messages.
func errInPubSub(cmd *Cmd) error {
	return &errs.Error{Code: "ERR", Text: "Can't execute '" + cmd.FullName +
		"': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"}
}

// errMonitoring is about a client in MONITOR, which Redis takes for a replica.
var errMonitoring = &errs.Error{Code: "ERR", Text: "Replica can't interact with the keyspace"}

var errNoReplicas = &errs.Error{Code: "NOREPLICAS", Text: "Not enough good replicas to write."}

var errNoAuth = &errs.Error{Code: "NOAUTH", Text: "Authentication required."}

// errProtected names the parameter that would allow cmd.
func errProtected(cmd *Cmd) error {
	name := strings.ToUpper(topName(cmd))
	option := "enable-" + strings.ToLower(name) + "-command"
	return &errs.Error{Code: "ERR", Text: name + " command not allowed. If the " + option +
		" option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the " +
		"configuration file, and then restart the server."}
}

func topName(cmd *Cmd) string {
	if cmd.Parent != nil {
		return cmd.Parent.FullName
	}
	return cmd.FullName
}

func (s *Server) allowsProtected(c *Client) bool {
	switch s.cfg.EnableDebugCommand {
	case "yes":
		return true
	case "local":
		return c.isLocal()
	}
	return false
}

// unknownCommand tells the name and the beginning of the arguments; container
// is set when only the subcommand is unknown.
func unknownCommand(container *Cmd, argv [][]byte) error {
	if container != nil {
		return errs.UnknownSubcommand(container.Name, argv[1])
	}
	const most = 128
	var args strings.Builder
	for _, a := range argv[1:] {
		if args.Len() >= most {
			break
		}
		args.WriteByte('\'')
		args.WriteString(errs.Shown(a, most-args.Len()+1))
		args.WriteString("' ")
	}
	return &errs.Error{Code: "ERR", Text: "unknown command '" + errs.Shown(argv[0], most) + "', with args beginning with: " + args.String()}
}

// isLoopback says whether an address "host:port" is of this machine.
func isLoopback(addr string) bool {
	a, err := netip.ParseAddrPort(addr)
	return err == nil && a.Addr().Unmap().IsLoopback()
}
