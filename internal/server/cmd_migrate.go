package server

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

var migrateCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "MIGRATE", Arity: -6,
		Syntax: `host port:integer key-selector:<key | empty-string:token=""> destination-db:integer timeout:integer [COPY] [REPLACE]` +
			` authentication:[AUTH auth=password | AUTH2 auth2:(username password)] [KEYS keys:key#1=key...]`,
		Flags: command.Write, Keys: []command.KeySpec{{First: 3, Step: 1, Flags: command.RW | command.Access | command.Delete}},
		Searches: []command.KeySearch{{
			Begin: -2, Word: "KEYS", Last: -1, Flags: command.RW | command.Access | command.Delete | command.Incomplete,
		}},
		KeysOf: command.MigrateKeys, Categories: []string{"keyspace", "dangerous"},
		Group: command.GroupGeneric, Since: "2.6.0", Complexity: "That of DUMP, RESTORE and DEL, and O(N) in the bytes sent.",
		Summary: "Moves keys to another server.",
		Tips:    []string{"nondeterministic_output"},
		History: [][2]string{{"3.0.0", "COPY and REPLACE."}, {"3.0.6", "KEYS."}, {"4.0.7", "AUTH."}, {"6.0.0", "AUTH2."}},
	}, Run: migrate},
}

var (
	errMigrateKey    = &errs.Error{Code: "ERR", Text: "When using MIGRATE KEYS option, the key argument must be set to the empty string"}
	errMigrateWithin = &errs.Error{Code: "ERR", Text: "MIGRATE is not possible inside a transaction or script: it takes the time of a network"}
)

// MIGRATE host port <key | ""> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] [KEYS key [key ...]]
//
// Replies with OK, or NOKEY when there is none of the keys. Others are served
// meanwhile.
func migrate(c *Client, in command.Args, out *resp.Reply) error {
	m, err := migrationOf(in)
	if err != nil {
		return err
	}
	if c.srv.within > 0 {
		return errMigrateWithin
	}
	m.srv, m.db = c.srv, c.db
	m.takeDown(m.keys, func(tx *engine.Tx, key []byte) (engine.View, bool) { return tx.ViewRead(key) })
	if len(m.moving) == 0 {
		out.Status("NOKEY")
		return nil
	}
	a := c.await()
	m.srv.conns.Go(func() {
		m.run()
		h := m.srv.eng.Lock()
		defer h.Unlock()
		m.srv.begin(h)
		a.end(done(m.err))
	})
	return a
}

// migrationOf reads the arguments.
func migrationOf(in command.Args) (*migration, error) {
	m := &migration{host: string(in[1]), port: portOf(in[2]), keys: [][]byte{in[3]}}
	for at := 6; at < len(in); at++ {
		left := len(in) - at - 1
		switch {
		case equalFold(in[at], "COPY"):
			m.copies = true
		case equalFold(in[at], "REPLACE"):
			m.replaces = true
		case equalFold(in[at], "AUTH") && left > 0:
			m.auth = [][]byte{in[at+1]}
			at++
		case equalFold(in[at], "AUTH2") && left > 1:
			m.auth = [][]byte{in[at+1], in[at+2]}
			at += 2
		case equalFold(in[at], "KEYS"):
			if len(in[3]) > 0 {
				return nil, errMigrateKey
			}
			m.keys, at = in[at+1:], len(in)
		default:
			return nil, errs.Syntax
		}
	}
	timeout, ok := resp.ParseInt(in[5])
	dest, okDB := resp.ParseInt(in[4])
	if !ok || !okDB {
		return nil, errs.NotInteger
	}
	m.setTimeout(timeout)
	m.dest = dest
	for i, word := range m.auth {
		m.auth[i] = append([]byte(nil), word...)
	}
	return m, nil
}

// portOf reads a port as C's atoi does: never the name of a service.
func portOf(word []byte) string {
	n := 0
	for n < len(word) && word[n] >= '0' && word[n] <= '9' {
		n++
	}
	return "0" + string(word[:n])
}
