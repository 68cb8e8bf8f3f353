package config

import (
	"fmt"
	"slices"
	"strings"

	"coatcheck/engine/errs"
)

// hook is a function to run after any of some parameters has changed.
type hook struct {
	params []*param
	run    func() error
}

// OnSet has run called, once for a CONFIG SET that changes any of the named
// parameters, after their fields have the new values. When it fails, all of the
// command's values are put back and its error is the reply's last part; the
// hooks that ran before are run again with the old values.
func (c *Config) OnSet(run func() error, params ...string) {
	h := hook{run: run}
	for _, name := range params {
		p := byName[name]
		if p == nil {
			panic("config: no parameter " + name)
		}
		h.params = append(h.params, p)
	}
	c.hooks = append(c.hooks, h)
}

// change is one parameter of a CONFIG SET.
type change struct {
	name     string
	p        *param
	from, to string
}

// Set is CONFIG SET: it changes all parameters, given as names and values in
// turn, or none. local says that the client may set protected parameters where
// enable-protected-configs is "local".
func (c *Config) Set(pairs []string, local bool) error {
	if len(pairs)%2 != 0 {
		return errs.Syntax
	}
	changes, err := c.plan(pairs, local)
	if err != nil {
		return err
	}
	for i := range changes {
		ch := &changes[i]
		ch.from = ch.p.text(c)
		text, err := ch.p.check(c, []string{ch.to})
		if err != nil {
			undo(c, changes[:i])
			return setFailed(ch.name, err)
		}
		ch.to = text
		ch.p.put(c, text)
	}
	return c.apply(changes)
}

// plan finds the parameters and refuses what may not be set at all.
func (c *Config) plan(pairs []string, local bool) ([]change, error) {
	var changes []change
	for i := 0; i < len(pairs); i += 2 {
		name := strings.ToLower(pairs[i])
		p := byName[name]
		switch {
		case p == nil:
			return nil, errs.UnknownConfig(pairs[i])
		case p.flags&immutable != 0:
			return nil, setFailed(name, errImmutable)
		case p.flags&protected != 0 && !allowed(c.EnableProtectedConfigs, local):
			return nil, setFailed(name, errProtected)
		case slices.ContainsFunc(changes, func(ch change) bool { return ch.name == name }):
			return nil, setFailed(name, errDuplicate)
		}
		changes = append(changes, change{name: name, p: p, to: pairs[i+1]})
	}
	return changes, nil
}

var (
	errImmutable = Refusal("can't set immutable config")
	errProtected = Refusal("can't set protected config")
	errDuplicate = Refusal("duplicate parameter")
)

// allowed is the meaning of no, yes and local.
func allowed(word string, local bool) bool {
	return word == "yes" || word == "local" && local
}

func setFailed(name string, err error) error { return errs.ConfigSet(name, err.Error()) }

// apply runs the hooks of parameters that have changed.
func (c *Config) apply(changes []change) error {
	for i, h := range c.hooks {
		ch := h.concerns(changes)
		if ch == nil {
			continue
		}
		err := h.run()
		if err == nil {
			continue
		}
		undo(c, changes)
		for _, before := range c.hooks[:i] {
			if before.concerns(changes) == nil {
				continue
			}
			if again := before.run(); again != nil {
				err = fmt.Errorf("%w (and the old value could not be restored: %w)", err, again)
			}
		}
		return setFailed(ch.name, err)
	}
	return nil
}

// concerns returns the first change that the hook is about, or nil.
func (h *hook) concerns(changes []change) *change {
	for i := range changes {
		if ch := &changes[i]; (ch.from != ch.to || ch.p.flags&contents != 0) && slices.Contains(h.params, ch.p) {
			return ch
		}
	}
	return nil
}

// undo puts the old values back, the last change first.
func undo(c *Config, changes []change) {
	for _, ch := range slices.Backward(changes) {
		ch.p.put(c, ch.from)
	}
}
