package server

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"

	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// ACL tells of the one user that there is.

var aclCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "ACL", Arity: -2,
		Group: command.GroupServer, Since: "6.0.0", Complexity: "That of its subcommands",
		Summary: "Tells of users and their rights.",
	}, Subs: []command.Entry[*Client]{
		{Spec: command.Spec{
			Name: "CAT", Syntax: "[categoryname]", Arity: -2, Flags: connFlags,
			Group: command.GroupServer, Since: "6.0.0", Complexity: "O(1): there are only so many commands",
			Summary: "Lists the categories, or the commands in one.",
		}, Run: aclCat},
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
	out.BulkText(c.user)
	return nil
}

// ACL CAT [category]
//
// Replies with the categories, or with the full names of the commands in one.
func aclCat(c *Client, in command.Args, out *resp.Reply) error {
	switch len(in) {
	case 2:
		bulks(out, command.Categories)
		return nil
	case 3:
	default:
		return errs.UnknownCall("ACL", in[1])
	}
	category := strings.ToLower(string(in[2]))
	if !slices.Contains(command.Categories, category) {
		return &errs.Error{Code: "ERR", Text: "Unknown category '" + string(in[2]) + "'"}
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

// ACL USERS
func aclUsers(_ *Client, _ command.Args, out *resp.Reply) error {
	bulks(out, []string{defaultUser})
	return nil
}

// ACL LIST
func aclList(c *Client, _ command.Args, out *resp.Reply) error {
	pass := "nopass"
	if h := &c.srv.passHash; h.on {
		pass = "#" + hex.EncodeToString(h.sum[:])
	}
	bulks(out, []string{"user " + defaultUser + " on " + pass + " ~* &* +@all"})
	return nil
}

// ACL GETUSER username
//
// Replies with a map, null without such a user.
func aclGetUser(c *Client, in command.Args, out *resp.Reply) error {
	if string(in[2]) != defaultUser {
		out.Null()
		return nil
	}
	flags, passwords := []string{"on", "nopass"}, []string(nil)
	if h := &c.srv.passHash; h.on {
		flags, passwords = []string{"on"}, []string{hex.EncodeToString(h.sum[:])}
	}
	out.Map(6)
	out.BulkText("flags")
	out.Set(len(flags))
	for _, f := range flags {
		out.BulkText(f)
	}
	out.BulkText("passwords")
	bulks(out, passwords)
	for _, rule := range [][2]string{{"commands", "+@all"}, {"keys", "~*"}, {"channels", "&*"}} {
		out.BulkText(rule[0])
		out.BulkText(rule[1])
	}
	out.BulkText("selectors")
	out.Array(0)
	return nil
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
		return errs.UnknownCall("ACL", in[1])
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
