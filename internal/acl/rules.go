package acl

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"coatcheck/internal/config"
)

// ruleError is why a rule is refused, in Redis' words.
type ruleError string

// Error returns the words.
func (e ruleError) Error() string { return string(e) }

const (
	errRule        = ruleError("Syntax error")
	errUnknown     = ruleError("Unknown command or category name in ACL")
	errAllKeys     = ruleError("Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns")
	errAllChannels = ruleError("Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels")
	errNoPassword  = ruleError("The password you are trying to remove from the user does not exist")
	errHash        = ruleError("The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters")
	errSubArg      = ruleError("Allowing first-arg of a subcommand is not supported")
	errDuplicate   = ruleError("Duplicate user found. A user can only be defined once in config files")
	errBracket     = ruleError("Unmatched parenthesis in selector definition.")
)

// ruler applies rules.
type ruler struct {
	commands *Commands
	// allChannels is what acl-pubsub-default gives new users and selectors.
	allChannels bool
}

// apply changes u as a rule says; when it fails, u is as before.
func (r ruler) apply(u *User, rule string) error {
	switch strings.ToLower(rule) {
	case "":
		return nil
	case "on", "off":
		u.enabled = len(rule) == len("on")
		return nil
	case "sanitize-payload":
		u.skipSanitize = false
		return nil
	case "skip-sanitize-payload":
		u.skipSanitize = true
		return nil
	case "nopass", "resetpass":
		u.noPass, u.passwords = len(rule) == len("nopass"), nil
		return nil
	case "clearselectors":
		u.selectors = u.selectors[:1]
		return nil
	case "reset":
		*u = *newUser(u.Name, r.allChannels)
		return nil
	}
	switch rule[0] {
	case '>', '#', '<', '!':
		return u.applyPassword(rule)
	case '(':
		if rule[len(rule)-1] == ')' {
			s, err := r.selector(rule[1 : len(rule)-1])
			if err == nil {
				u.selectors = append(u.selectors, s)
			}
			return err
		}
	}
	return r.applySelector(u.root(), rule)
}

// applyPassword adds (> #) or removes (< !) a password, given itself (> <) or as
// its SHA-256 in hex.
func (u *User) applyPassword(rule string) error {
	var sum password
	if rule[0] == '>' || rule[0] == '<' {
		sum = sha256.Sum256([]byte(rule[1:]))
	} else {
		b, err := hex.DecodeString(rule[1:])
		if err != nil || len(b) != len(sum) || strings.ToLower(rule) != rule {
			return errHash
		}
		copy(sum[:], b)
	}
	i := slices.Index(u.passwords, sum)
	if rule[0] == '>' || rule[0] == '#' {
		if i < 0 {
			u.passwords = append(u.passwords, sum)
		}
		u.noPass = false
		return nil
	}
	if i < 0 {
		return errNoPassword
	}
	u.passwords = slices.Delete(u.passwords, i, i+1)
	return nil
}

// selector makes a selector of the rules between brackets. Unbalanced quotes give
// one without rights, as in Redis.
func (r ruler) selector(rules string) (*selector, error) {
	s := newSelector(r.allChannels)
	words, err := config.Split(rules)
	if err != nil {
		return s, nil
	}
	for _, rule := range words {
		if err := r.applySelector(s, rule); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (r ruler) applySelector(s *selector, rule string) error {
	switch strings.ToLower(rule) {
	case "":
		return errRule
	case "allkeys", "~*":
		s.allKeys, s.keys = true, nil
		return nil
	case "resetkeys":
		s.allKeys, s.keys = false, nil
		return nil
	case "allchannels", "&*":
		s.allChannels, s.channels = true, nil
		return nil
	case "resetchannels":
		s.allChannels, s.channels = false, nil
		return nil
	case "allcommands", "+@all":
		s.setAllCommands(true)
		return nil
	case "nocommands", "-@all":
		s.setAllCommands(false)
		return nil
	}
	switch rule[0] {
	case '~', '%':
		return s.addKeys(rule)
	case '&':
		return s.addChannels(rule[1:])
	case '+', '-':
		return r.applyCommand(s, rule[1:], rule[0] == '+')
	}
	return errRule
}

// addKeys is ~pattern, %R~pattern, %W~pattern or %RW~pattern.
func (s *selector) addKeys(rule string) error {
	if s.allKeys {
		return errAllKeys
	}
	k := keyPattern{full, rule[1:]}
	if rule[0] == '%' {
		letters, pattern, ok := strings.Cut(rule[1:], "~")
		k = keyPattern{0, pattern}
		for _, l := range strings.ToUpper(letters) {
			may := access(strings.IndexRune("RW", l) + 1) // read, write, or 0
			ok = ok && may != 0 && k.access&may == 0
			k.access |= may
		}
		if !ok || k.access == 0 {
			return errRule
		}
	}
	if hasSpace(k.pattern) {
		return errRule
	}
	for i := range s.keys {
		if s.keys[i].pattern == k.pattern {
			s.keys[i].access |= k.access
			return nil
		}
	}
	s.keys = append(s.keys, k)
	return nil
}

func (s *selector) addChannels(pattern string) error {
	switch {
	case s.allChannels:
		return errAllChannels
	case hasSpace(pattern):
		return errRule
	}
	if !slices.Contains(s.channels, pattern) {
		s.channels = append(s.channels, pattern)
	}
	return nil
}

// applyCommand is +name or -name: a command, a subcommand "config|get", a category
// "@read" or, after a plus, a first argument "select|0".
func (r ruler) applyCommand(s *selector, name string, allow bool) error {
	if category, is := strings.CutPrefix(name, "@"); is {
		return r.applyCategory(s, category, allow)
	}
	if cmd := r.commands.Find(name); cmd != nil {
		s.permit(cmd, allow)
		s.addRule(cmd.Full, allow)
		return nil
	}
	bar := strings.LastIndexByte(name, '|')
	if !allow || bar < 0 {
		return errUnknown
	}
	cmd, arg := r.commands.Find(name[:bar]), name[bar+1:]
	switch {
	case cmd == nil:
		return errUnknown
	case cmd.Parent != nil:
		return errSubArg
	case arg == "":
		return errRule
	case len(cmd.Subs) > 0:
		return errUnknown
	}
	if !slices.ContainsFunc(s.firstArgs[cmd.ID], func(a string) bool { return strings.EqualFold(a, arg) }) {
		s.addFirstArgs(cmd.ID, arg)
	}
	s.addRule(name, true)
	return nil
}

func (r ruler) applyCategory(s *selector, category string, allow bool) error {
	bit := categoryBit(category)
	if bit == 0 {
		return errUnknown
	}
	s.addRule("@"+category, allow)
	for _, cmd := range r.commands.all {
		if cmd.categories&bit != 0 {
			s.permit(cmd, allow)
		}
	}
	return nil
}

// hasSpace says whether a name or pattern holds what separates words, or a NUL.
func hasSpace(s string) bool {
	return strings.ContainsAny(s, " \t\n\v\f\r\x00")
}

// mergeSelectors puts the words of selectors together again that a line or a
// client has split at blanks: "(+get", "~x)". bad is the place of a bracket that
// nothing closes, -1 without one.
func mergeSelectors(words []string) (merged []string, bad int) {
	open := -1
	for i, w := range words {
		switch {
		case open >= 0:
			merged[len(merged)-1] += " " + w
			if strings.HasSuffix(w, ")") {
				open = -1
			}
		default:
			merged = append(merged, w)
			if strings.HasPrefix(w, "(") && !strings.HasSuffix(w, ")") {
				open = i
			}
		}
	}
	return merged, open
}
