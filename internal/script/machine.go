// Package script runs Lua 5.1 scripts as Redis does: EVAL's, with the redis library, its
// conversions between Lua's values and replies, and Redis' error texts. Commands are run
// by a Host; the package knows no keys, clients or locks. Lua is gopher-lua's, the
// libraries are package lualib's.
package script

import (
	"crypto/sha1" //nolint:gosec // names of scripts are SHA-1 digests in the protocol
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"coatcheck/engine/errs"
	"coatcheck/internal/script/lualib"
	"coatcheck/resp"
)

// Host is who scripts are run for.
type Host interface {
	// Call runs a command on behalf of the running script and appends its reply, an
	// error reply too, to out. An error says why it was not run.
	Call(argv [][]byte, out *resp.Reply) error
	// Allowed says whether the caller may run a command; an error if there is none such.
	Allowed(argv [][]byte) (bool, error)
	// Log takes a line of redis.log with a level from 0 (debug) to 3 (warning).
	Log(level int, line string)
	// Poll is asked every few thousand instructions. Its error ends the script.
	Poll() error
}

// Machine is a Lua state with the libraries of scripts. It runs one script at a time, in
// one goroutine at a time.
type Machine struct {
	host    Host
	version string
	L       *lua.LState
	libs    *lualib.Libs
	watch   *watch
	guard   *guard

	onError *lua.LFunction
	none    *lua.LTable // KEYS and ARGV between runs: deleting them would have the map of globals tidied up each time
	proto   int         // of replies to the running script's calls
	side    resp.Reply
	argv    [][]byte
	args    []byte
}

// New makes a machine. version is what scripts are told: "7.2.4".
func New(host Host, version string) *Machine {
	m := &Machine{host: host, version: version, L: lua.NewState(lualib.Options())}
	m.watch = &watch{poll: host.Poll, ended: closedChannel()}
	m.L.SetContext(m.watch)
	m.libs = lualib.Open(m.L, lualib.Limits{Interrupted: m.watch.ask, Clock: m.watch.clock})
	m.boundCoroutines()
	m.openRedis()
	m.guard = protect(m.L)
	m.onError, m.none = m.L.NewFunction(locate), m.L.NewTable()
	m.side.Proto = 2
	return m
}

// Close gives the state back.
func (m *Machine) Close() { m.L.Close() }

// Name is the name of a script: the SHA-1 of its source, in lower case digits.
func Name(source []byte) string {
	sum := sha1.Sum(source) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// Script is a compiled script of one machine.
type Script struct {
	Name   string
	Source string
	Flags  Flags
	fn     *lua.LFunction
}

// Load compiles a script. Errors are Redis' replies.
func (m *Machine) Load(name, source string) (*Script, error) {
	flags, body, err := readShebang(source)
	if err != nil {
		return nil, err
	}
	proto, err := lualib.Compile(body, "@user_script")
	if err != nil {
		return nil, &errs.Error{Code: "ERR", Text: "Error compiling script (new function): " + err.Error()}
	}
	m.watch.begin() // making the function runs a little Lua
	return &Script{Name: name, Source: source, Flags: flags, fn: m.libs.Function(proto)}, nil
}

// Run runs a script and appends its reply to out. The error is what the script failed
// with, for the reply.
func (m *Machine) Run(s *Script, keys, args [][]byte, out *resp.Reply) error {
	m.libs.Reset()
	m.watch.begin()
	m.proto, m.side.Proto = 2, 2
	m.setWords(m.texts(keys), m.texts(args))
	defer m.setWords(m.none, m.none)
	m.L.SetTop(0)
	defer m.L.SetTop(0)
	m.L.Push(s.fn)
	if err := m.L.PCall(0, 1, m.onError); err != nil {
		return m.failure(err, s.Name)
	}
	(&writer{m: m, out: out}).value(m.L.Get(-1), 0)
	return nil
}

// Elapsed is how long the running script has run.
func (m *Machine) Elapsed() time.Duration { return m.watch.elapsed() }

func (m *Machine) setWords(keys, args lua.LValue) {
	m.guard.globals.RawSetString("KEYS", keys)
	m.guard.globals.RawSetString("ARGV", args)
}

func (m *Machine) texts(words [][]byte) *lua.LTable {
	t := m.L.CreateTable(len(words), 0)
	for _, w := range words {
		t.Append(lua.LString(w))
	}
	return t
}

// locate makes of what a script failed with a table of its text and of where that was. It
// runs before the stack is unwound.
func locate(L *lua.LState) int {
	v := L.Get(1)
	t, ok := v.(*lua.LTable)
	if !ok {
		t = L.CreateTable(0, 3)
		t.RawSetString("err", lua.LString("ERR "+inLuasWords(shown(v))))
	}
	setPlace(L, t)
	L.Push(t)
	return 1
}

// shown is what tostring makes of a value.
func shown(v lua.LValue) string {
	if n, ok := v.(lua.LNumber); ok {
		return lualib.FormatNumber(float64(n))
	}
	return v.String()
}

// setPlace notes in an error's table where the script is, if any of it runs.
func setPlace(L *lua.LState, t *lua.LTable) {
	for level := 0; ; level++ {
		dbg, ok := L.GetStack(level)
		if !ok {
			return
		}
		if _, err := L.GetInfo("Sl", dbg, lua.LNil); err == nil && dbg.CurrentLine > 0 {
			t.RawSetString("source", lua.LString("@"+dbg.Source))
			t.RawSetString("line", lua.LNumber(dbg.CurrentLine))
			return
		}
	}
}

// failure is the reply to a script that failed. One that was ended is said to have been in
// the words of who did, without the line that gopher-lua puts in front.
func (m *Machine) failure(err error, name string) error {
	text, place := "ERR unknown error", ""
	var failed *lua.ApiError
	if errors.As(err, &failed) {
		if t, ok := failed.Object.(*lua.LTable); ok {
			if s, ok := t.RawGetString("err").(lua.LString); ok {
				text = string(s)
			}
			if source, ok := t.RawGetString("source").(lua.LString); ok {
				place = ", on " + string(source) + ":" + shown(t.RawGetString("line"))
			}
		} else {
			text = "ERR " + inLuasWords(failed.Object.String()) // there was no stack left for locate
		}
	}
	if m.watch.err != nil {
		text = m.watch.err.Error()
	}
	return asError(strings.TrimSpace(text) + " script: " + name + place + ".")
}

// asError is an error whose reply is the text.
func asError(text string) error {
	code, rest, _ := strings.Cut(text, " ")
	return &errs.Error{Code: code, Text: rest}
}

// words are how gopher-lua and Lua 5.1 say the same. The names of variables, which Lua 5.1
// adds, gopher-lua does not tell.
var words = []struct {
	is  *regexp.Regexp
	say string
}{
	{regexp.MustCompile(`attempt to index a non-table object\((\w+)\) with key '.*'$`), "attempt to index a $1 value"},
	{regexp.MustCompile(`attempt to call a non-function object$`), "attempt to call a nil value"},
	{regexp.MustCompile(`cannot perform \w+ operation between (?:number|string) and (\w+)$`), "attempt to perform arithmetic on a $1 value"},
	{regexp.MustCompile(`cannot perform \w+ operation between (\w+) and \w+$`), "attempt to perform arithmetic on a $1 value"},
	{regexp.MustCompile(`(?:lua callstack|registry) overflow.*$`), "stack overflow"},
	{regexp.MustCompile(`__unm undefined$`), "attempt to perform arithmetic on a non-number value"},
	{regexp.MustCompile(`__len undefined$`), "attempt to get length of a nil value"},
}

// inLuasWords writes an error of the interpreter as Lua 5.1 does.
func inLuasWords(text string) string {
	for _, w := range words {
		if w.is.MatchString(text) {
			return w.is.ReplaceAllString(text, w.say)
		}
	}
	return text
}
