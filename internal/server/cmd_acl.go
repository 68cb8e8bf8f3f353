package server

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"

	"coatcheck/engine/errs"
	"coatcheck/internal/acl"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

var aclCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "ACL", Arity: -2,
		Group: command.GroupServer, Since: "6.0.0", Complexity: "That of its subcommands",
		Summary: "Manages users and their rights.",
	}, Subs: []command.Entry[*Client]{
		{Spec: command.Spec{
			Name: "CAT", Syntax: "[categoryname]", Arity: -2, Flags: connFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(1): there are only so many commands",
			Summary: "Lists the categories, or the commands in one.",
		}, Run: aclCat},
		{Spec: command.Spec{
			Name: "DELUSER", Syntax: "username...", Arity: -3, Flags: adminFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(N) in the connected clients",
			Summary: "Deletes users and closes their connections.",
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		}, Run: aclDelUser},
		{Spec: command.Spec{
			Name: "DRYRUN", Syntax: "username command [arg...]", Arity: -4, Flags: adminFlags,
			Group: command.GroupServer, Since: "7.0.0", Complexity: "O(N) in the user's rules",
			Summary: "Tells whether a user might make a call, without making it.",
		}, Run: aclDryRun},
		{Spec: command.Spec{
			Name: "GENPASS", Syntax: "[bits:integer]", Arity: -2, Flags: connFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(1)",
			Summary: "Makes a password by chance.",
		}, Run: aclGenPass},
		{Spec: command.Spec{
			Name: "GETUSER", Syntax: "username", Arity: 3, Flags: adminFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(N) in the user's rules",
			Summary: "Tells of a user.",
			History: [][2]string{{"6.2.0", "Tells of channels."}, {"7.0.0", "Tells of selectors; keys and channels are rules instead of lists."}},
		}, Run: aclGetUser},
		{Spec: command.Spec{
			Name: "LIST", Arity: 2, Flags: adminFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(N) in the users",
			Summary: "Lists the users as a configuration file has them.",
		}, Run: aclList},
		{Spec: command.Spec{
			Name: "LOAD", Arity: 2, Flags: adminFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(N) in the users",
			Summary: "Replaces the users by those of the aclfile.",
		}, Run: aclLoad},
		{Spec: command.Spec{
			Name: "LOG", Syntax: "operation:[count:integer | RESET]", Arity: -2, Flags: adminFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(N) in the entries told of",
			Summary: "Lists what users were denied, or forgets it.",
			History: [][2]string{{"7.2.0", "Entries have a number and the times of their making and of their last change."}},
		}, Run: aclLog},
		{Spec: command.Spec{
			Name: "SAVE", Arity: 2, Flags: adminFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(N) in the users",
			Summary: "Writes the users to the aclfile.",
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		}, Run: aclSave},
		{Spec: command.Spec{
			Name: "SETUSER", Syntax: "username [rule...]", Arity: -3, Flags: adminFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(N) in the rules",
			Summary: "Makes a user or changes its rights.",
			History: [][2]string{{"6.2.0", "Rules for channels."}, {"7.0.0", "Selectors, and key patterns for reading or writing."}},
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		}, Run: aclSetUser},
		{Spec: command.Spec{
			Name: "USERS", Arity: 2, Flags: adminFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(N) in the users",
			Summary: "Lists the users' names.",
		}, Run: aclUsers},
		{Spec: command.Spec{
			Name: "WHOAMI", Arity: 2, Flags: connFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(1)",
			Summary: "Tells the connection's user.",
		}, Run: aclWhoAmI},
		helpEntry("acl", "6.0.0"),
	}},
}

// ACL WHOAMI
func aclWhoAmI(c *Client, _ command.Args, out *resp.Reply) error {
	out.BulkText(c.user.Name)
	return nil
}

// ACL CAT [category]
//
// Replies with the categories, or with the full names of the commands in one.
func aclCat(c *Client, in command.Args, out *resp.Reply) error {
	switch len(in) {
	case 2:
		bulks(out, command.Categories[:len(command.Categories)-command.OwnCategories])
		return nil
	case 3:
	default:
		return errs.SubcommandSyntax("ACL", in[1])
	}
	category := strings.ToLower(string(in[2]))
	if !slices.Contains(command.Categories, category) {
		return &errs.Error{Code: "ERR", Text: "Unknown category '" + errs.Shown(in[2], 128) + "'"}
	}
	var names []string
	for _, cmd := range c.srv.table.All() {
		for _, each := range append([]*Cmd{cmd}, cmd.Subs...) {
			if slices.Contains(each.ACLCategories(len(each.Subs) > 0), category) {
				names = append(names, each.FullName)
			}
		}
	}
	bulks(out, names)
	return nil
}

func bulks(out *resp.Reply, words []string) {
	out.Array(len(words))
	for _, w := range words {
		out.BulkText(w)
	}
}

var (
	errUserName    = &errs.Error{Code: "ERR", Text: "Usernames can't contain spaces or null characters"}
	errDefaultUser = &errs.Error{Code: "ERR", Text: "The 'default' user cannot be removed"}
)

// ACL SETUSER username [rule ...]
//
// All rules are applied, or none.
func aclSetUser(c *Client, in command.Args, out *resp.Reply) error {
	rules := make([]string, 0, len(in)-3)
	for _, rule := range in[3:] {
		rules = append(rules, string(rule))
	}
	if err := c.srv.setUser(string(in[2]), rules, c); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}

// SetUser changes a user, or makes one, as ACL SETUSER does.
func (s *Server) SetUser(name string, rules ...string) error {
	h := s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	return s.setUser(name, rules, nil)
}

// setUser changes a user, or makes one, for the client me.
func (s *Server) setUser(name string, rules []string, me *Client) error {
	if !acl.ValidName(name) {
		return errUserName
	}
	staged, err := s.users.Stage(name, rules)
	if err != nil {
		text := []byte(err.Error())
		return &errs.Error{Code: "ERR", Text: errs.Shown(text, len(text))}
	}
	old := s.users.Get(name)
	loses := old != nil && old.LosesChannels(staged)
	s.users.Commit(staged)
	if loses {
		s.killListeners(old, me)
	}
	return nil
}

// ACL DELUSER username [username ...]
//
// Replies with the number of users that were there.
func aclDelUser(c *Client, in command.Args, out *resp.Reply) error {
	for _, name := range in[2:] {
		if string(name) == acl.DefaultName {
			return errDefaultUser
		}
	}
	var deleted int64
	for _, name := range in[2:] {
		if u := c.srv.users.Delete(string(name)); u != nil {
			c.srv.killUser(u, c)
			deleted++
		}
	}
	out.Int(deleted)
	return nil
}

// ACL USERS
func aclUsers(c *Client, _ command.Args, out *resp.Reply) error {
	out.Array(c.srv.users.Len())
	for _, u := range c.srv.users.All() {
		out.BulkText(u.Name)
	}
	return nil
}

// ACL LIST
func aclList(c *Client, _ command.Args, out *resp.Reply) error {
	out.Array(c.srv.users.Len())
	for _, u := range c.srv.users.All() {
		out.BulkText(u.String())
	}
	return nil
}

// ACL GETUSER username
//
// Replies with a map, null without such a user.
func aclGetUser(c *Client, in command.Args, out *resp.Reply) error {
	u := c.srv.users.Get(string(in[2]))
	if u == nil {
		out.Null()
		return nil
	}
	out.Map(6)
	out.BulkText("flags")
	flags := u.Flags()
	out.Set(len(flags))
	for _, f := range flags {
		out.BulkText(f)
	}
	out.BulkText("passwords")
	bulks(out, u.Passwords())
	root, others := u.Rights()
	writeRights(out, root)
	out.BulkText("selectors")
	out.Array(len(others))
	for _, r := range others {
		out.Map(3)
		writeRights(out, r)
	}
	return nil
}

func writeRights(out *resp.Reply, r acl.Rights) {
	for _, field := range [][2]string{{"commands", r.Commands}, {"keys", r.Keys}, {"channels", r.Channels}} {
		out.BulkText(field[0])
		out.BulkText(field[1])
	}
}

// ACL DRYRUN username command [arg ...]
//
// Replies OK, or with what the user lacks as a string.
func aclDryRun(c *Client, in command.Args, out *resp.Reply) error {
	u := c.srv.users.Get(string(in[2]))
	if u == nil {
		return &errs.Error{Code: "ERR", Text: "User '" + errs.Shown(in[2], len(in[2])) + "' not found"}
	}
	call := in[3:]
	cmd, ok := c.srv.table.find(call)
	if !ok {
		return &errs.Error{Code: "ERR", Text: "Command '" + errs.Shown(call[0], len(call[0])) + "' not found"}
	}
	if !cmd.AcceptsArity(len(call)) {
		return errs.WrongArity(cmd.FullName)
	}
	if d := u.Check(cmd.acl, call); d != nil {
		out.BulkText(d.Long())
		return nil
	}
	out.Status("OK")
	return nil
}

// ACL LOG [count | RESET]
//
// Replies with the newest entries, ten without a count, each a map.
func aclLog(c *Client, in command.Args, out *resp.Reply) error {
	count := int64(10)
	switch {
	case len(in) > 3:
		return errs.SubcommandSyntax("ACL", in[1])
	case len(in) == 3 && equalFold(in[2], "RESET"):
		c.srv.users.denials.Reset()
		out.Status("OK")
		return nil
	case len(in) == 3:
		var ok bool
		if count, ok = resp.ParseInt(in[2]); !ok {
			return errs.NotInteger
		}
	}
	entries := c.srv.users.denials.Newest(count)
	out.Array(len(entries))
	for _, e := range entries {
		c.srv.writeDenial(out, e)
	}
	return nil
}

func (s *Server) writeDenial(out *resp.Reply, e *acl.LogEntry) {
	text := func(name, value string) {
		out.BulkText(name)
		out.BulkText(value)
	}
	number := func(name string, n int64) {
		out.BulkText(name)
		out.Int(n)
	}
	out.Map(10)
	number("count", e.Count)
	text("reason", e.Reason.String())
	text("context", string(e.Context))
	text("object", e.Object)
	text("username", e.User)
	out.BulkText("age-seconds")
	out.Double(float64(s.now.Sub(e.Updated).Milliseconds()) / 1000)
	text("client-info", e.Client)
	number("entry-id", e.ID)
	number("timestamp-created", e.Created.UnixMilli())
	number("timestamp-last-updated", e.Updated.UnixMilli())
}

var errGenPass = &errs.Error{Code: "ERR", Text: "ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"}

// ACL GENPASS [bits]
//
// Replies with as many hex digits as the bits need, 256 without a number.
func aclGenPass(_ *Client, in command.Args, out *resp.Reply) error {
	bits := int64(256)
	switch len(in) {
	case 2:
	case 3:
		var ok bool
		if bits, ok = resp.ParseInt(in[2]); !ok {
			return errs.NotInteger
		}
		if bits <= 0 || bits > 4096 {
			return errGenPass
		}
	default:
		return errs.SubcommandSyntax("ACL", in[1])
	}
	digits := (bits + 3) / 4
	b := make([]byte, (digits+1)/2)
	if _, err := rand.Read(b); err != nil {
		return err
	}
	out.BulkText(hex.EncodeToString(b)[:digits])
	return nil
}

// randomID is 40 hex digits, as run and replication ids are.
func randomID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return hex.EncodeToString(b[:])
}
