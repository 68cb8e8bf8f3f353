package acl

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Users are the users of a server. There is always the default one, which is the
// same *User for good.
type Users struct {
	rules   ruler
	byName  map[string]*User
	Default *User
}

// NewUsers makes the set of the default user alone, who may do everything
// without a password.
func NewUsers(commands *Commands) *Users {
	us := &Users{rules: ruler{commands: commands}}
	us.Default = us.newDefault()
	us.byName = map[string]*User{DefaultName: us.Default}
	return us
}

func (us *Users) newDefault() *User {
	u := newUser(DefaultName, true)
	u.enabled, u.noPass = true, true
	root := u.root()
	root.allKeys, root.allChannels = true, true
	root.setAllCommands(true)
	u.settle()
	return u
}

// Commands are those that rules may name.
func (us *Users) Commands() *Commands { return us.rules.commands }

// AllChannels is acl-pubsub-default: whether new users and selectors have all
// channels.
func (us *Users) AllChannels(yes bool) { us.rules.allChannels = yes }

// Get returns the user of a name, nil when there is none.
func (us *Users) Get(name string) *User { return us.byName[name] }

// Len is the number of users.
func (us *Users) Len() int { return len(us.byName) }

// All are the users, in order of their names.
func (us *Users) All() []*User {
	all := make([]*User, 0, len(us.byName))
	for _, u := range us.byName {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b *User) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Authenticate returns the user of a name and password, nil when that user does
// not exist, is off or has another password. It takes as long for either.
func (us *Users) Authenticate(name string, pass []byte) *User {
	sum := password(sha256.Sum256(pass))
	u := us.byName[name]
	if u == nil {
		nobody.accepts(sum)
		return nil
	}
	if !u.accepts(sum) {
		return nil
	}
	return u
}

// nobody is who is compared with when there is no such user.
var nobody = &User{passwords: make([]password, 1)}

// SetDefaultPassword is requirepass: the default user's only password, or none.
func (us *Users) SetDefaultPassword(pass string) {
	us.Default.passwords, us.Default.noPass = nil, pass == ""
	if pass != "" {
		us.Default.passwords = []password{sha256.Sum256([]byte(pass))}
	}
}

// RuleError says which rule of a call is wrong, and why.
type RuleError struct {
	Rule string
	Err  error
	// Unclosed says that Rule begins a selector that does not end.
	Unclosed bool
}

// Error is the text for ACL SETUSER.
func (e *RuleError) Error() string {
	if e.Unclosed {
		return "Unmatched parenthesis in acl selector starting at '" + e.Rule + "'."
	}
	return "Error in ACL SETUSER modifier '" + e.Rule + "': " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *RuleError) Unwrap() error { return e.Err }

// Stage returns what a user of this name, new or not, would be with more rules.
// Nothing changes before Commit. It fails with a *RuleError.
func (us *Users) Stage(name string, rules []string) (*User, error) {
	merged, bad := mergeSelectors(rules)
	if bad >= 0 {
		return nil, &RuleError{Rule: rules[bad], Err: errBracket, Unclosed: true}
	}
	u := newUser(name, us.rules.allChannels)
	if old := us.byName[name]; old != nil {
		u = old.clone()
	}
	for _, rule := range merged {
		if err := us.rules.apply(u, rule); err != nil {
			return nil, &RuleError{Rule: rule, Err: err}
		}
	}
	return u, nil
}

// Commit makes a staged user one of the set, in the place of the one of its name.
func (us *Users) Commit(staged *User) {
	u := us.byName[staged.Name]
	if u == nil {
		u = &User{Name: staged.Name}
		us.byName[staged.Name] = u
	}
	u.become(staged)
}

// Delete takes a user that is not the default one out of the set and returns it,
// nil when there was none.
func (us *Users) Delete(name string) *User {
	u := us.byName[name]
	if u == nil || u == us.Default {
		return nil
	}
	delete(us.byName, name)
	return u
}

// ValidName says whether a user may have a name.
func ValidName(name string) bool { return !hasSpace(name) }

// Configure adds the user of a configuration's line, its words from the name on.
// The default user begins anew.
func (us *Users) Configure(words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("user: %w", errRule)
	}
	name := words[0]
	switch {
	case !ValidName(name):
		return ruleError("Spaces not allowed in ACL usernames")
	case us.byName[name] != nil && name != DefaultName:
		return errDuplicate
	}
	merged, bad := mergeSelectors(words[1:])
	if bad >= 0 {
		return errBracket
	}
	u := newUser(name, us.rules.allChannels)
	for _, rule := range merged {
		if err := us.rules.apply(u, rule); err != nil {
			return fmt.Errorf("Error in user declaration '%s': %w", shownRule(rule), err)
		}
	}
	us.Commit(u)
	return nil
}

// shownRule is a rule as logs may show it, without a password.
func shownRule(rule string) string {
	if rule != "" && strings.ContainsRune("><#!", rune(rule[0])) {
		return rule[:1] + "(value not shown)"
	}
	return rule
}

// Load replaces all users by those of a file's content; file is its name, for
// errors. The default user, without a line, is as NewUsers makes it. The users
// that there were but the default one are returned. When a line is wrong nothing
// changes, and the error tells of all lines that are, in Redis' words.
func (us *Users) Load(file, content string) (old []*User, err error) {
	next := NewUsers(us.rules.commands)
	next.rules = us.rules
	delete(next.byName, DefaultName)
	var wrong strings.Builder
	for i, line := range strings.Split(content, "\n") {
		if line = strings.Trim(line, " \t\r"); line != "" {
			next.loadLine(file, i+1, line, &wrong)
		}
	}
	if wrong.Len() > 0 {
		return nil, ruleError(wrong.String() + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed")
	}
	for _, u := range us.byName {
		if u != us.Default {
			old = append(old, u)
		}
	}
	def := next.byName[DefaultName]
	if def == nil {
		def = next.newDefault()
	}
	us.Default.become(def)
	us.byName = next.byName
	us.byName[DefaultName] = us.Default
	return old, nil
}

// loadLine adds the user of a line, or what is wrong with it.
func (us *Users) loadLine(file string, number int, line string, wrong *strings.Builder) {
	words := strings.Split(line, " ")
	if words[0] != "user" || len(words) < 2 {
		fmt.Fprintf(wrong, "%s:%d should start with user keyword followed by the username. ", file, number)
		return
	}
	name := words[1]
	switch {
	case !ValidName(name):
		fmt.Fprintf(wrong, "'%s:%d: username '%s' contains invalid characters. ", file, number, name)
		return
	case us.byName[name] != nil:
		fmt.Fprintf(wrong, "WARNING: Duplicate user '%s' found on line %d. ", name, number)
		return
	}
	merged, bad := mergeSelectors(words[2:])
	if bad >= 0 {
		fmt.Fprintf(wrong, "%s:%d: %s", file, number, errBracket)
		return
	}
	u := newUser(name, us.rules.allChannels)
	for _, rule := range merged {
		if err := us.rules.apply(u, strings.Trim(rule, "\t\r\n")); err != nil {
			fmt.Fprintf(wrong, "%s:%d: %s. ", file, number, err)
		}
	}
	us.Commit(u)
}

// FileContent is what a file holds that Load makes the same users of.
func (us *Users) FileContent() string {
	var b strings.Builder
	for _, u := range us.All() {
		b.WriteString(u.FileLine())
		b.WriteByte('\n')
	}
	return b.String()
}
