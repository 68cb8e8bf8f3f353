package acl

import (
	"slices"
	"strings"

	"coatcheck/engine"
	"coatcheck/internal/command"
)

// access is what a key pattern allows to do with keys.
type access uint8

const (
	read access = 1 << iota
	write
	full = read | write
)

// accessOf is what a command that does flags with a key needs.
func accessOf(flags command.KeyFlags) access {
	var need access
	if flags&command.Access != 0 {
		need |= read
	}
	if flags&(command.Insert|command.Delete|command.Update) != 0 {
		need |= write
	}
	return need
}

type keyPattern struct {
	access  access
	pattern string
}

// String is the rule that gives the pattern.
func (k keyPattern) String() string {
	switch k.access {
	case read:
		return "%R~" + k.pattern
	case write:
		return "%W~" + k.pattern
	}
	return "~" + k.pattern
}

// selector is a set of rules that together allow a call. A user has one that its
// rules change, the root, and those it was given in brackets.
type selector struct {
	// allCommands says that no bit needs to be looked at; future that commands
	// to come are allowed too: +@all was said, and rules since took from that.
	allCommands, future  bool
	allKeys, allChannels bool

	allowed bitmap
	// firstArgs are the first arguments with which a command, by its ID, is
	// allowed that is not otherwise.
	firstArgs map[int][]string
	// rules are those about commands since the last +@all or -@all, in their
	// order and without what later ones have made idle (as Redis 7.2 keeps them).
	rules    []string
	keys     []keyPattern
	channels []string
}

func newSelector(allChannels bool) *selector { return &selector{allChannels: allChannels} }

func (s *selector) clone() *selector {
	c := *s
	c.rules, c.keys, c.channels = slices.Clone(s.rules), slices.Clone(s.keys), slices.Clone(s.channels)
	c.firstArgs = nil
	for id, args := range s.firstArgs {
		c.addFirstArgs(id, args...)
	}
	return &c
}

func (s *selector) addFirstArgs(id int, args ...string) {
	if s.firstArgs == nil {
		s.firstArgs = map[int][]string{}
	}
	s.firstArgs[id] = append(s.firstArgs[id], args...)
}

// isUnlimited says whether the selector allows every call.
func (s *selector) isUnlimited() bool { return s.allCommands && s.allKeys && s.allChannels }

func (s *selector) setAllCommands(to bool) {
	s.allowed.setAll(to)
	s.allCommands, s.future = to, to
	s.firstArgs, s.rules = nil, nil
}

// permit allows or forbids a command with its subcommands.
func (s *selector) permit(cmd *Command, to bool) {
	s.allCommands = s.allCommands && to
	s.allowed.set(cmd.ID, to)
	delete(s.firstArgs, cmd.ID)
	for _, sub := range cmd.Subs {
		s.allowed.set(sub.ID, to)
	}
}

// addRule notes a rule about commands, "get" or "@read", and drops those about the
// same and about subcommands of it.
func (s *selector) addRule(rule string, allow bool) {
	rule = strings.ToLower(rule)
	s.rules = slices.DeleteFunc(s.rules, func(old string) bool {
		rest, same := strings.CutPrefix(old[1:], rule)
		return same && (rest == "" || rest[0] == '|')
	})
	mark := "-"
	if allow {
		mark = "+"
	}
	s.rules = append(s.rules, mark+rule)
}

// allowsCommand says whether the selector allows to run cmd, which argv calls.
func (s *selector) allowsCommand(cmd *Command, argv command.Args) bool {
	if s.allCommands || cmd.Flags&command.NoAuth != 0 || s.allowed.has(cmd.ID) {
		return true
	}
	at := 1
	if cmd.Parent != nil {
		at = 2
	}
	if at >= len(argv) {
		return false
	}
	first := string(argv[at])
	return slices.ContainsFunc(s.firstArgs[cmd.ID], func(a string) bool { return strings.EqualFold(a, first) })
}

func (s *selector) allowsKey(key []byte, need access) bool {
	return s.allKeys || slices.ContainsFunc(s.keys, func(k keyPattern) bool {
		return k.access&need == need && engine.Match([]byte(k.pattern), key)
	})
}

// allowsChannel is about a channel, or about a pattern, which a rule has to name
// as it is.
func (s *selector) allowsChannel(channel []byte, isPattern bool) bool {
	return s.allChannels || matchesChannel(s.channels, channel, isPattern)
}

func matchesChannel(patterns []string, channel []byte, isPattern bool) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if isPattern {
			return p == string(channel)
		}
		return engine.Match([]byte(p), channel)
	})
}

// readsAllKeys says whether no key is kept from readers.
func (s *selector) readsAllKeys() bool {
	return s.allKeys || slices.ContainsFunc(s.keys, func(k keyPattern) bool {
		return k.access&read != 0 && k.pattern == "*"
	})
}
