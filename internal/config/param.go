package config

import (
	"slices"
	"strings"
)

// flags of a parameter.
type flags uint8

const (
	immutable flags = 1 << iota // only at start-up
	protected                   // CONFIG SET needs enable-protected-configs
	hidden                      // CONFIG GET shows it by its exact name only
	multi                       // several words, as one argument or many
	sensitive                   // its value is kept out of SLOWLOG and logs
	ours                        // not a parameter of Redis
	contents                    // what is in the file counts: set again, it is read again
)

// param is one row of the table.
//
// A parameter has a kind, which turns words into canonical text or refuses
// them, and a field, which carries canonical text to and from Config. Without a
// field the text itself is kept.
type param struct {
	name, alias string
	flags       flags
	kind        kind
	field       *field
	def         string // as a configuration file would have it

	// note says why the parameter has no effect; "" when it has one.
	note string
	// only, where not empty, are the values that are accepted: any other
	// would promise what is not there. refusal says so.
	only    []string
	refusal string
}

// kind parses the words of a parameter. old is its present canonical text, for
// the kinds that change a part of the value only.
type kind interface {
	parse(words []string, old string) (text string, err error)
	// line is canonical text as CONFIG REWRITE writes it behind the name, a
	// line each.
	lines(text string) []string
}

// field reaches a field of Config.
type field struct {
	load  func(c *Config) string
	store func(c *Config, text string)
}

// text is the parameter's value in canonical form.
func (p *param) text(c *Config) string {
	if p.field == nil {
		return c.other[p.name]
	}
	return p.field.load(c)
}

// put stores canonical text.
func (p *param) put(c *Config, text string) {
	if p.field == nil {
		c.other[p.name] = text
		return
	}
	p.field.store(c, text)
}

// load parses words and stores the value.
func (p *param) load(c *Config, words []string) error {
	text, err := p.check(c, words)
	if err != nil {
		return err
	}
	p.put(c, text)
	return nil
}

// check parses words into canonical text and stores nothing.
func (p *param) check(c *Config, words []string) (string, error) {
	if p.flags&multi != 0 {
		if len(words) == 1 {
			words = strings.Split(words[0], " ")
			if words[0] == "" && len(words) == 1 {
				words = nil
			}
		}
	} else if len(words) != 1 {
		return "", errWords
	}
	text, err := p.kind.parse(words, p.text(c))
	if err != nil {
		return "", err
	}
	if len(p.only) > 0 && !slices.Contains(p.only, text) {
		return "", Refusal(p.refusal)
	}
	return text, nil
}

// Refusal is why a value or a line is refused, in the words that Redis has for
// it where it has some. Hooks (see OnSet) may use it too.
type Refusal string

// Error returns the words.
func (r Refusal) Error() string { return string(r) }

var errWords = Refusal("wrong number of arguments")

// byName finds parameters by name and alias, names lists both in order.
// defaults is the canonical text of each parameter's default by its name.
var (
	byName   = map[string]*param{}
	names    []string
	defaults = map[string]string{}
)

func init() {
	for i := range table {
		p := &table[i]
		for _, n := range []string{p.name, p.alias} {
			if n == "" {
				continue
			}
			if byName[n] != nil {
				panic("config: two parameters named " + n)
			}
			byName[n] = p
			names = append(names, n)
		}
	}
	slices.Sort(names)
	c := New()
	for i := range table {
		defaults[table[i].name] = table[i].text(c)
	}
}

// Sensitive reports whether values of the parameter must not be shown in logs.
func Sensitive(name string) bool {
	p := byName[strings.ToLower(name)]
	return p != nil && p.flags&sensitive != 0
}

// Note is what a reader of the compatibility page should know of a parameter.
type Note struct {
	Name, Alias, Default string
	Immutable, Ours      bool
	// Without is why the parameter is accepted without function; "" when it
	// does what it does in Redis.
	Without string
	// Only are the values accepted where others are refused, Refusal why.
	Only    []string
	Refusal string
}

// Notes lists every parameter that CONFIG GET shows, for the documentation.
func Notes() []Note {
	var out []Note
	for i := range table {
		p := &table[i]
		if p.flags&hidden != 0 {
			continue
		}
		out = append(out, Note{
			Name: p.name, Alias: p.alias, Default: p.def,
			Immutable: p.flags&immutable != 0, Ours: p.flags&ours != 0,
			Without: p.note, Only: p.only, Refusal: p.refusal,
		})
	}
	slices.SortFunc(out, func(a, b Note) int { return strings.Compare(a.Name, b.Name) })
	return out
}
