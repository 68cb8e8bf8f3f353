package config

import (
	"strings"

	"coatcheck/internal/policy"
)

var sessionParams = []param{
	{name: "session-prefix", flags: ours, kind: text, def: "myapp:", field: textField(func(c *Config) *string { return &c.SessionPrefix })},
	{name: "session-tombstone-ttl", flags: ours, kind: number(0, maxInt), def: "0", field: intField(func(c *Config) *int64 { return &c.Sessions.TombstoneTTL })},
	{name: "session-tombstone-for", flags: ours | multi, kind: enumKind{words: []string{"deleted", "expired", "evicted"}, many: true}, def: "deleted", field: wordsField(func(c *Config) *[]string { return &c.Sessions.TombstoneFor })},
	{name: "session-tombstone-max", flags: ours, kind: number(1, maxInt), def: "100000", field: intField(func(c *Config) *int { return &c.Sessions.TombstoneMax })},
	{name: "session-max-lifetime", flags: ours, kind: number(0, maxInt), def: "0", field: intField(func(c *Config) *int64 { return &c.Sessions.MaxLifetime })},
	{name: "session-user-path", flags: ours | multi, kind: pathsKind{}, field: wordsField(func(c *Config) *[]string { return &c.Sessions.UserPath })},
	{name: "session-max-per-user", flags: ours, kind: number(0, maxInt), def: "0", field: intField(func(c *Config) *int { return &c.Sessions.MaxPerUser })},
	{name: "session-max-per-user-policy", flags: ours, kind: oneOf("oldest", "refuse"), def: "oldest", field: textField(func(c *Config) *string { return &c.Sessions.MaxPerUserPolicy })},
	{name: "session-events", flags: ours, kind: number(0, 1<<24), def: "0", field: intField(func(c *Config) *int { return &c.Sessions.Events })},
}

// Sessions are the policies for the keys under SessionPrefix, see package policy.
type Sessions struct {
	TombstoneTTL     int64 // seconds, 0: there are none
	TombstoneFor     []string
	TombstoneMax     int
	MaxLifetime      int64 // seconds, 0: no bound
	UserPath         []string
	MaxPerUser       int // 0: no bound
	MaxPerUserPolicy string
	Events           int // that are kept
}

// pathsKind is a list of places in JSON: passport.user.
type pathsKind struct{}

func (pathsKind) parse(w []string, _ string) (string, error) {
	if _, err := policy.ParsePaths(w); err != nil {
		return "", Refusal(err.Error())
	}
	return strings.Join(w, " "), nil
}

func (pathsKind) lines(text string) []string { return list.lines(text) }
