package command

import (
	"fmt"
	"strconv"
	"strings"
)

// A syntax line says what follows a command's name, for machines and people:
//
//	key                a name; its type is string, or key for the name "key"
//	seconds:integer    a name and its type: key, string, integer, double,
//	                   pattern or unix-time
//	by:pattern#1       … and the key spec that its key is found by, where that
//	                   is not the next one
//	addr=ip:port       a name and what to show for it, where that differs
//	NX                 a word as it is: anything without small letters
//	equal:token==      … and one that is called otherwise
//	EX seconds:integer a word and the argument that belongs to it
//	[NX]  [NX | XX]    optional: an argument, or one of several
//	<ON | OFF>         one of several
//	(key value)        several that belong together
//	key...             one or more
//	[GET pattern]...   any number, each with its word
//	limit:(a b)        a name for a bracket: without one it is called after its
//	                   word, "data" for a (group), or after all its alternatives
//
// In brackets, a word in front of several arguments is the word of them all:
// [LIMIT offset:integer count:integer] is [LIMIT (offset:integer count:integer)].

// ArgType is the type of an argument in COMMAND DOCS.
type ArgType string

// The types of arguments.
const (
	ArgString   ArgType = "string"
	ArgInteger  ArgType = "integer"
	ArgDouble   ArgType = "double"
	ArgKey      ArgType = "key"
	ArgPattern  ArgType = "pattern"
	ArgUnixTime ArgType = "unix-time"
	ArgToken    ArgType = "pure-token"
	ArgOneOf    ArgType = "oneof"
	ArgBlock    ArgType = "block"
)

// Arg is an argument of a command, as COMMAND DOCS tells it.
type Arg struct {
	Name    string
	Display string // what to show people; "" for oneof and block
	Type    ArgType
	// Token is the word itself for ArgToken, else the word in front of the
	// argument; "" for none.
	Token string
	// KeySpec is the index of the key spec that finds this key; -1 for
	// arguments that are not keys.
	KeySpec       int
	Optional      bool
	Multiple      bool // may be repeated
	MultipleToken bool // and Token is repeated with it
	Args          []Arg
}

// ParseSyntax reads a syntax line. specs is the number of key specs of the
// command: its keys take them in order, the last one for all that remain.
func ParseSyntax(line string, specs int) ([]Arg, error) {
	p := syntaxParser{words: splitSyntax(line)}
	args, err := p.sequence()
	if err == nil && p.at < len(p.words) {
		err = fmt.Errorf("unexpected %q", p.words[p.at])
	}
	if err != nil {
		return nil, fmt.Errorf("syntax %q: %w", line, err)
	}
	next := 0
	assignKeySpecs(args, &next, specs)
	return args, nil
}

func assignKeySpecs(args []Arg, next *int, specs int) {
	for i := range args {
		if args[i].Type == ArgKey && args[i].KeySpec < 0 {
			args[i].KeySpec = min(*next, specs-1)
			*next++
		}
		assignKeySpecs(args[i].Args, next, specs)
	}
}

// splitSyntax cuts a line into words, brackets, bars and "...". A label keeps
// its colon: "limit:".
func splitSyntax(line string) []string {
	var words []string
	word := ""
	end := func() {
		if word != "" {
			words = append(words, word)
			word = ""
		}
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ':
			end()
		case strings.IndexByte("[]<>()|", c) >= 0:
			end()
			words = append(words, string(c))
		case strings.HasPrefix(line[i:], "..."):
			end()
			words = append(words, "...")
			i += 2
		default:
			word += string(c)
		}
	}
	end()
	return words
}

type syntaxParser struct {
	words []string
	at    int
}

func (p *syntaxParser) peek() string {
	if p.at == len(p.words) {
		return ""
	}
	return p.words[p.at]
}

func (p *syntaxParser) take(word string) bool {
	if p.peek() == word {
		p.at++
		return true
	}
	return false
}

// sequence reads arguments until a closing bracket, a bar or the end.
func (p *syntaxParser) sequence() ([]Arg, error) {
	var args []Arg
	for {
		switch p.peek() {
		case "", "]", ">", ")", "|":
			return args, nil
		}
		a, err := p.item()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
}

// item reads one argument with its word, and whether it repeats.
func (p *syntaxParser) item() (Arg, error) {
	a, err := p.single()
	if err != nil {
		return a, err
	}
	if isToken(a) && p.startsValue() {
		token, labelled := a.Token, strings.HasSuffix(p.peek(), ":")
		if a, err = p.single(); err != nil {
			return a, err
		}
		a.Token = token
		if !labelled && (a.Type == ArgOneOf || a.Type == ArgBlock) {
			a.Name = strings.ToLower(token)
		}
	}
	if p.take("...") {
		a.Multiple = true
		a.MultipleToken = a.Optional && a.Token != "" && a.Type != ArgToken
	}
	return a, nil
}

func isToken(a Arg) bool { return a.Type == ArgToken && !a.Optional }

// startsValue says whether what comes next can belong to the word before it.
func (p *syntaxParser) startsValue() bool {
	w := p.peek()
	if strings.HasSuffix(w, ":") {
		return p.at+1 < len(p.words) && p.words[p.at+1] != "["
	}
	return w == "<" || w == "(" || isName(w)
}

func isName(word string) bool { return strings.ToUpper(word) != word }

// single reads a name, a word or a bracket.
func (p *syntaxParser) single() (Arg, error) {
	w := p.peek()
	p.at++
	switch {
	case w == "[" || w == "<" || w == "(":
		return p.bracket(w, "")
	case strings.HasSuffix(w, ":") && len(w) > 1:
		open := p.peek()
		p.at++
		if open != "[" && open != "<" && open != "(" {
			return Arg{}, fmt.Errorf("%q names no bracket", w)
		}
		return p.bracket(open, strings.TrimSuffix(w, ":"))
	case w == "" || strings.Contains("]>)|...", w):
		return Arg{}, fmt.Errorf("unexpected %q", w)
	case !isName(w):
		name := strings.ToLower(w)
		return Arg{Name: name, Display: name, Type: ArgToken, Token: w, KeySpec: -1}, nil
	}
	return named(w)
}

// named reads name[:type][#keyspec][=display].
func named(word string) (Arg, error) {
	word, display, shown := strings.Cut(word, "=")
	word, spec, found := strings.Cut(word, "#")
	name, typ, typed := strings.Cut(word, ":")
	a := Arg{Name: name, Display: name, Type: ArgType(typ), KeySpec: -1}
	if shown {
		a.Display = display
	}
	if found {
		n, err := strconv.Atoi(spec)
		if err != nil || n < 0 {
			return a, fmt.Errorf("%q: no key spec %q", word, spec)
		}
		a.KeySpec = n
	}
	if !typed {
		a.Type = ArgString
		if name == "key" {
			a.Type = ArgKey
		}
	}
	switch a.Type {
	case "token":
		a.Type, a.Token, a.Display = ArgToken, a.Display, name
		return a, nil
	case ArgString, ArgInteger, ArgDouble, ArgKey, ArgPattern, ArgUnixTime:
		return a, nil
	}
	return a, fmt.Errorf("%q: no type %q", word, typ)
}

// bracket reads what stands between open, already read, and its counterpart.
func (p *syntaxParser) bracket(open, label string) (Arg, error) {
	shut := map[string]string{"[": "]", "<": ">", "(": ")"}[open]
	var alternatives []Arg
	for {
		args, err := p.sequence()
		if err != nil {
			return Arg{}, err
		}
		if len(args) == 0 {
			return Arg{}, fmt.Errorf("nothing between %q and %q", open, shut)
		}
		if open == "(" {
			alternatives = args
		} else {
			alternatives = append(alternatives, together(args))
		}
		if open == "(" || !p.take("|") {
			break
		}
	}
	if !p.take(shut) {
		return Arg{}, fmt.Errorf("no %q for %q", shut, open)
	}
	a := Arg{Type: ArgOneOf, KeySpec: -1, Args: alternatives}
	switch {
	case open == "(":
		a.Type, a.Name = ArgBlock, "data"
	case len(alternatives) == 1:
		a = alternatives[0]
	default:
		a.Name = joinNames(alternatives)
	}
	if label != "" {
		a.Name = label
	}
	a.Optional = a.Optional || open == "["
	return a, nil
}

// together makes one argument of the several of an alternative.
func together(args []Arg) Arg {
	if len(args) == 1 {
		return args[0]
	}
	block := Arg{Type: ArgBlock, KeySpec: -1, Args: args, Name: joinNames(args)}
	for i, a := range args {
		plain := !a.Optional && a.Type != ArgToken && (a.Token != "") == (i == 0)
		if !plain {
			return block
		}
	}
	block.Token, block.Name = args[0].Token, strings.ToLower(args[0].Token)
	args[0].Token = ""
	return block
}

func joinNames(args []Arg) string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = a.Name
	}
	return strings.Join(names, "-")
}

// Usage writes arguments for people: a syntax line without types and labels.
func Usage(args []Arg) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = usage(a, true)
	}
	return strings.Join(parts, " ")
}

// usage writes one argument; marked says whether to show that it is optional,
// or one of several, by brackets.
func usage(a Arg, marked bool) string {
	text := a.Display
	switch a.Type {
	case ArgToken:
		text = a.Token
	case ArgBlock:
		text = Usage(a.Args)
	case ArgOneOf:
		parts := make([]string, len(a.Args))
		for i, sub := range a.Args {
			parts[i] = usage(sub, false)
		}
		text = strings.Join(parts, " | ")
		if a.Token != "" || marked && !a.Optional {
			text = "<" + text + ">"
		}
	}
	repeat := text
	if a.Token != "" && a.Type != ArgToken {
		text = a.Token + " " + text
		if a.MultipleToken {
			repeat = text
		}
	}
	if a.Multiple {
		text += " [" + repeat + " ...]"
	}
	if marked && a.Optional {
		return "[" + text + "]"
	}
	return text
}
