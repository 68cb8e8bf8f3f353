package server

import (
	"errors"
	"fmt"
	"os"

	"coatcheck/engine/errs"
	"coatcheck/internal/acl"
	"coatcheck/internal/command"
	"coatcheck/internal/pubsub"
)

var (
	errWrongPass = &errs.Error{Code: "WRONGPASS", Text: "invalid username-password pair or user is disabled."}
	errNoPass    = &errs.Error{Code: "ERR", Text: "AUTH <password> called without any password configured for the default user. " +
		"Are you sure your configuration is correct?"}
)

// users is who may do what, guarded by the engine's lock.
type users struct {
	*acl.Users
	denials acl.Log
}

// startUsers makes the users that the configuration names.
func (s *Server) startUsers(commands *acl.Commands) error {
	s.users.Users = acl.NewUsers(commands)
	s.users.AllChannels(s.cfg.ACLPubSubDefault == "allchannels")
	s.users.SetDefaultPassword(s.cfg.RequirePass)
	if s.cfg.ACLFile != "" && len(s.cfg.Users) > 0 {
		return errors.New("configuring users by user lines and by an aclfile at the same time would leave it open which of them count: choose one")
	}
	for i := range s.cfg.Users {
		if err := s.users.Configure(s.cfg.Users[i].Words); err != nil {
			return s.cfg.Users[i].Error(err)
		}
	}
	if s.cfg.ACLFile == "" {
		return nil
	}
	content, err := os.ReadFile(s.cfg.Path(s.cfg.ACLFile))
	if err != nil {
		return fmt.Errorf("load the aclfile: %w", err)
	}
	if _, err := s.users.Load(s.cfg.ACLFile, string(content)); err != nil {
		return fmt.Errorf("load the aclfile: %w", err)
	}
	if s.cfg.RequirePass != "" {
		s.log.Warn("requirepass has no effect: the aclfile says how the default user logs in")
	}
	return nil
}

// authRequired says whether the client has to say who it is before anything else.
func (s *Server) authRequired(c *Client) bool { return !c.authenticated && !s.users.Default.IsOpen() }

// authenticate logs the client in. It fails with the same error for a wrong
// user and a wrong password, and logs that.
func (c *Client) authenticate(user, password []byte) error {
	u := c.srv.users.Authenticate(string(user), password)
	if u == nil {
		c.srv.logDenial(c, &acl.Denial{Reason: acl.DeniedAuth, User: string(user), Object: string(c.argv[0])}, acl.TopLevel)
		return errWrongPass
	}
	c.authenticated, c.user = true, u
	c.in.Limits = c.srv.proto
	return nil
}

// forgetUser makes the client one that has not logged in.
func (c *Client) forgetUser() {
	c.user = c.srv.users.Default
	c.authenticated = c.user.IsOpen()
	if !c.authenticated {
		c.in.Limits = c.srv.protoUnauth
	}
}

// checkCall says why the client's user may not make a call, nil when it may. A
// denial is logged and counted; where says what kind of call it is. The reply is
// the denial's Reply, InExec or InScript.
func (s *Server) checkCall(c *Client, cmd *Cmd, argv [][]byte, where acl.Context) *acl.Denial {
	if c.user.IsUnlimited() {
		return nil
	}
	d := c.user.Check(cmd.acl, argv)
	if d != nil {
		s.logDenial(c, d, where)
	}
	return d
}

func (s *Server) logDenial(c *Client, d *acl.Denial, where acl.Context) {
	s.users.denials.Add(acl.LogEntry{
		Reason: d.Reason, Context: where, Object: d.Object, User: d.User, Client: s.clientLine(c),
	}, s.now, s.cfg.ACLLogMax)
}

// checkUser is the gate of the client's rights.
func (s *Server) checkUser(c *Client, cmd *Cmd, argv [][]byte) error {
	if c.user.IsUnlimited() {
		return nil
	}
	where := acl.TopLevel
	if c.multi != nil {
		where = acl.InMulti
	}
	if d := s.checkCall(c, cmd, argv, where); d != nil {
		return d.Reply()
	}
	return nil
}

// checkUnnamed refuses calls that read keys which nothing names to users who may
// not read every key.
func (s *Server) checkUnnamed(c *Client, cmd *Cmd, argv command.Args) error {
	if cmd.Unnamed == nil || c.user.IsUnlimited() || c.user.ReadsUnnamedKeys(cmd.acl, argv) {
		return nil
	}
	return cmd.Unnamed(argv)
}

// killListeners closes the connections of a user that listen to what it may not any more;
// me gets its reply before.
func (s *Server) killListeners(u *acl.User, me *Client) {
	for c := range s.clients.all() {
		if c.user == u && c.subs.Total() > 0 && !c.mayListen() {
			s.expel(c, me)
		}
	}
}

// mayListen says whether the client's user may listen to all that it listens to.
func (c *Client) mayListen() bool {
	for _, k := range []pubsub.Kind{pubsub.Channel, pubsub.Pattern, pubsub.Shard} {
		for _, name := range c.subs.Names(k) {
			if !c.user.AllowsChannel([]byte(name), k == pubsub.Pattern) {
				return false
			}
		}
	}
	return true
}

// killUser closes the connections of a user that is no more; me gets its reply
// before.
func (s *Server) killUser(u *acl.User, me *Client) {
	for c := range s.clients.all() {
		if c.user == u {
			s.expel(c, me)
		}
	}
}

// expel logs a client out and closes its connection; me gets its reply before.
func (s *Server) expel(c, me *Client) {
	c.user, c.authenticated = s.users.Default, false
	if c == me {
		c.closeAfterReply = true
	} else {
		c.kill()
	}
}
