package server

import (
	"errors"
	"io/fs"
	"os"
	"runtime"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/internal/config"
	"coatcheck/resp"
)

var (
	errNoACLFile = &errs.Error{Code: "ERR", Text: "This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration."}
	errACLSave   = &errs.Error{Code: "ERR", Text: "There was an error trying to save the ACLs. Please check the server logs for more information"}
)

// aside runs work off the lock, while others are served, and replies what then
// makes of its outcome.
func aside[T any](work func() (T, error), then func(T, error) error) error {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		v, err := work()
		done <- outcome{v, err}
	}()
	return &command.More{Step: func(_ *engine.Tx, out *resp.Reply) (bool, error) {
		select {
		case o := <-done:
			if err := then(o.v, o.err); err != nil {
				return true, err
			}
			out.Status("OK")
			return true, nil
		default:
			runtime.Gosched()
			return false, nil
		}
	}}
}

// ACL LOAD
//
// Connections of all users but the default one are closed, as in Redis 7.2: they
// logged in by rules that are no more.
func aclLoad(c *Client, _ command.Args, _ *resp.Reply) error {
	s := c.srv
	name := s.cfg.ACLFile
	if name == "" {
		return errNoACLFile
	}
	path := s.cfg.Path(name)
	return aside(func() ([]byte, error) { return os.ReadFile(path) }, func(content []byte, err error) error {
		if err != nil {
			return &errs.Error{Code: "ERR", Text: "Error loading ACLs, opening file '" + name + "': " + errnoText(err)}
		}
		old, err := s.users.Load(name, string(content))
		if err != nil {
			return &errs.Error{Code: "ERR", Text: err.Error()}
		}
		for _, u := range old {
			s.killUser(u, c)
		}
		return nil
	})
}

// errnoText is the system's word for why a file did not open, as C prints it.
func errnoText(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "No such file or directory"
	}
	return err.Error()
}

// ACL SAVE
//
// The file is either the old one or the new one, also after a crash.
func aclSave(c *Client, _ command.Args, _ *resp.Reply) error {
	s := c.srv
	if s.cfg.ACLFile == "" {
		return errNoACLFile
	}
	path, content := s.cfg.Path(s.cfg.ACLFile), []byte(s.users.FileContent())
	return aside(func() (struct{}, error) { return struct{}{}, config.ReplaceFile(path, content) }, func(_ struct{}, err error) error {
		if err != nil {
			s.log.Warn("ACL SAVE failed", "error", err)
			return errACLSave
		}
		return nil
	})
}
