package acl

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"

	"coatcheck/internal/config"
)

// DefaultName is the user of connections that have not said who they are.
const DefaultName = "default"

// User is a user and its rights. Users changes it in place, so that who has it
// sees its rights change.
type User struct {
	Name string

	enabled, noPass, skipSanitize bool
	passwords                     []password
	selectors                     []*selector // the root first

	unlimited bool // it may do everything, at the first look
}

// password is the SHA-256 of one.
type password [sha256.Size]byte

func (p password) String() string { return hex.EncodeToString(p[:]) }

func newUser(name string, allChannels bool) *User {
	return &User{Name: name, selectors: []*selector{newSelector(allChannels)}}
}

// clone copies what rules may change.
func (u *User) clone() *User {
	c := *u
	c.passwords = slices.Clone(u.passwords)
	c.selectors = make([]*selector, len(u.selectors))
	for i, s := range u.selectors {
		c.selectors[i] = s.clone()
	}
	return &c
}

// become takes over all but the name. u and from share it from then on.
func (u *User) become(from *User) {
	name := u.Name
	*u = *from
	u.Name = name
	u.settle()
}

// settle works out what follows from the rules.
func (u *User) settle() {
	u.unlimited = slices.ContainsFunc(u.selectors, (*selector).isUnlimited)
}

func (u *User) root() *selector { return u.selectors[0] }

// IsUnlimited says whether every call of the user is allowed.
func (u *User) IsUnlimited() bool { return u.unlimited }

// IsOpen says whether connections are the user's without a password.
func (u *User) IsOpen() bool { return u.enabled && u.noPass }

// HasNoPassword says whether any password is right.
func (u *User) HasNoPassword() bool { return u.noPass }

// SkipsSanitizing says whether what the user RESTOREs is taken without a deep
// look, where sanitize-dump-payload leaves that to users.
func (u *User) SkipsSanitizing() bool { return u.skipSanitize }

// accepts compares in a time that does not depend on the password.
func (u *User) accepts(sum password) bool {
	right := 0
	for i := range u.passwords {
		right |= subtle.ConstantTimeCompare(u.passwords[i][:], sum[:])
	}
	return u.enabled && (u.noPass || right == 1)
}

// AllowsChannel says whether the user may listen to a channel, or to a pattern of
// channels.
func (u *User) AllowsChannel(channel []byte, isPattern bool) bool {
	return slices.ContainsFunc(u.selectors, func(s *selector) bool { return s.allowsChannel(channel, isPattern) })
}

// LosesChannels says whether listeners of the user have to be looked at when it
// becomes what next is: a pattern it has is none of next's (Redis acl.c,
// ACLKillPubsubClientsIfNeeded).
func (u *User) LosesChannels(next *User) bool {
	var patterns []string
	for _, s := range next.selectors {
		if s.allChannels {
			return false
		}
		patterns = append(patterns, s.channels...)
	}
	for _, s := range u.selectors {
		if s.allChannels || slices.ContainsFunc(s.channels, func(c string) bool { return !slices.Contains(patterns, c) }) {
			return true
		}
	}
	return false
}

// Flags are the user's flags as ACL GETUSER tells them.
func (u *User) Flags() []string {
	flags := []string{"off"}
	if u.enabled {
		flags[0] = "on"
	}
	if u.noPass {
		flags = append(flags, "nopass")
	}
	if u.skipSanitize {
		return append(flags, "skip-sanitize-payload")
	}
	return append(flags, "sanitize-payload")
}

// Passwords are the SHA-256 of the passwords in hex.
func (u *User) Passwords() []string {
	out := make([]string, len(u.passwords))
	for i, p := range u.passwords {
		out[i] = p.String()
	}
	return out
}

// Rights is a selector as ACL GETUSER tells it: rules, separated by blanks.
type Rights struct{ Commands, Keys, Channels string }

// Rights are those of the root selector and of the others.
func (u *User) Rights() (root Rights, others []Rights) {
	for _, s := range u.selectors[1:] {
		others = append(others, s.rights(plain))
	}
	return u.root().rights(plain), others
}

func (s *selector) rights(word func(string) string) Rights {
	keys, channels := make([]string, len(s.keys)), make([]string, len(s.channels))
	for i, k := range s.keys {
		keys[i] = word(k.String())
	}
	for i, c := range s.channels {
		channels[i] = word("&" + c)
	}
	all := "-@all"
	if s.future {
		all = "+@all"
	}
	r := Rights{strings.Join(append([]string{all}, s.rules...), " "), strings.Join(keys, " "), strings.Join(channels, " ")}
	if s.allKeys {
		r.Keys = "~*"
	}
	if s.allChannels {
		r.Channels = "&*"
	}
	return r
}

// String is the user's line in ACL LIST: "user NAME" and the rules that make it.
func (u *User) String() string { return u.line(plain, plain) }

// FileLine is the line as a file of users has it. It differs from String where a
// selector's pattern holds quotes, which brackets would take for their own.
func (u *User) FileLine() string { return u.line(plain, config.Quote) }

// ConfigLine is the line as a configuration file has it, without the word "user":
// words that quotes or backslashes would spoil are in quotes.
func (u *User) ConfigLine() string {
	return strings.TrimPrefix(u.line(config.Quote, config.Quote), "user ")
}

// line makes a line with words of the root and whole selectors written by word,
// words in selectors by inner.
func (u *User) line(word, inner func(string) string) string {
	parts := append([]string{"user", word(u.Name)}, u.Flags()...)
	for _, p := range u.passwords {
		parts = append(parts, "#"+p.String())
	}
	parts = append(parts, u.root().words(word))
	for _, s := range u.selectors[1:] {
		text := "(" + s.words(inner) + ")"
		if strings.ContainsAny(text, `"'\`) {
			text = word(text)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func (s *selector) words(word func(string) string) string {
	r := s.rights(word)
	var parts []string
	if r.Keys != "" {
		parts = append(parts, r.Keys)
	}
	if !s.allChannels {
		parts = append(parts, "resetchannels")
	}
	if r.Channels != "" {
		parts = append(parts, r.Channels)
	}
	return strings.Join(append(parts, r.Commands), " ")
}

func plain(word string) string { return word }
