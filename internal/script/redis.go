package script

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"coatcheck/internal/script/lualib"
)

// openRedis makes the library redis.
func (m *Machine) openRedis() {
	lib := m.L.NewTable()
	for name, fn := range map[string]lua.LGFunction{
		"call":               func(L *lua.LState) int { return m.redisCall(L, true) },
		"pcall":              func(L *lua.LState) int { return m.redisCall(L, false) },
		"error_reply":        errorReply,
		"status_reply":       statusReply,
		"sha1hex":            sha1hex,
		"log":                m.log,
		"setresp":            m.setResp,
		"set_repl":           setRepl,
		"replicate_commands": func(L *lua.LState) int { L.Push(lua.LTrue); return 1 },
		"breakpoint":         func(L *lua.LState) int { L.Push(lua.LFalse); return 1 },
		"debug":              func(*lua.LState) int { return 0 },
		"acl_check_cmd":      m.aclCheck,
	} {
		lib.RawSetString(name, m.L.NewFunction(fn))
	}
	for name, n := range map[string]int{
		"LOG_DEBUG": 0, "LOG_VERBOSE": 1, "LOG_NOTICE": 2, "LOG_WARNING": 3,
		"REPL_NONE": 0, "REPL_AOF": 1, "REPL_SLAVE": 2, "REPL_REPLICA": 2, "REPL_ALL": 3,
		"REDIS_VERSION_NUM": versionNumber(m.version),
	} {
		lib.RawSetString(name, lua.LNumber(n))
	}
	lib.RawSetString("REDIS_VERSION", lua.LString(m.version))
	m.L.SetGlobal("redis", lib)
}

// versionNumber makes 0x00MMmmpp of "M.m.p".
func versionNumber(version string) (n int) {
	for part := range strings.SplitSeq(version, ".") {
		i, _ := strconv.Atoi(part) // ours
		n = n<<8 | i
	}
	return n
}

// raiseReply ends the running function with an error as a command's: a table.
func raiseReply(L *lua.LState, text string) int {
	L.Error(errorTable(L, text), 0)
	return 0
}

func errorTable(L *lua.LState, text string) *lua.LTable {
	t := L.CreateTable(0, 4)
	t.RawSetString("err", lua.LString(text))
	setPlace(L, t)
	return t
}

// readArgs keeps the arguments of a call as bytes until the next one.
func (m *Machine) readArgs(L *lua.LState) (argv [][]byte, problem string) {
	n := L.GetTop()
	if n == 0 {
		return nil, "ERR Please specify at least one argument for this redis lib call"
	}
	m.argv, m.args = m.argv[:0], m.args[:0]
	var ends [16]int
	at := ends[:0]
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			m.args = append(m.args, v...)
		case lua.LNumber:
			if f := float64(v); f == float64(int64(f)) && f > -1e17 && f < 1e17 {
				m.args = strconv.AppendInt(m.args, int64(f), 10)
			} else {
				m.args = lualib.AppendExact(m.args, f)
			}
		default:
			return nil, "ERR Lua redis lib command arguments must be strings or integers"
		}
		at = append(at, len(m.args))
	}
	from := 0
	for _, end := range at {
		m.argv = append(m.argv, m.args[from:end:end])
		from = end
	}
	return m.argv, ""
}

// redisCall is redis.call, or redis.pcall, which returns what the other one raises.
func (m *Machine) redisCall(L *lua.LState, raise bool) int {
	argv, problem := m.readArgs(L)
	defer m.side.Reset() // also of a reply that was too long
	if problem == "" {
		m.side.Proto = m.proto
		if err := m.host.Call(argv, &m.side); err != nil {
			problem = err.Error()
		}
		if m.watch.err != nil { // ended meanwhile
			L.RaiseError("%s", m.watch.err.Error())
		}
	}
	var v lua.LValue
	if problem != "" {
		v = errorTable(L, problem)
	} else {
		r := reader{L: L, b: m.side.Bytes()}
		v = r.value()
	}
	if cap(m.args) > keptArgs {
		m.args = nil
	}
	if t, ok := v.(*lua.LTable); ok && raise && t.RawGetString("err") != lua.LNil {
		L.Error(t, 0)
	}
	L.Push(v)
	return 1
}

// keptArgs is how large a buffer of arguments is kept for the next call.
const keptArgs = 64 << 10

// single is a table of one field, made of the only argument.
func single(L *lua.LState, field string, text func(string) string) int {
	s, ok := L.Get(1).(lua.LString)
	if n, isNumber := L.Get(1).(lua.LNumber); isNumber {
		s, ok = lua.LString(shown(n)), true
	}
	t := L.CreateTable(0, 1)
	if !ok || L.GetTop() != 1 {
		t.RawSetString("err", lua.LString("ERR wrong number or type of arguments"))
	} else {
		t.RawSetString(field, lua.LString(text(string(s))))
	}
	L.Push(t)
	return 1
}

func statusReply(L *lua.LState) int {
	return single(L, "ok", func(s string) string { return s })
}

// errorReply adds a code where there is only a word.
func errorReply(L *lua.LState) int {
	return single(L, "err", func(s string) string {
		s = strings.TrimRight(strings.TrimPrefix(s, "-"), "\r\n")
		if !strings.Contains(s, " ") {
			return "ERR " + s
		}
		return s
	})
}

func sha1hex(L *lua.LState) int {
	if L.GetTop() != 1 {
		return raiseReply(L, "ERR wrong number of arguments")
	}
	L.Push(lua.LString(Name([]byte(L.ToString(1)))))
	return 1
}

func (m *Machine) setResp(L *lua.LState) int {
	if L.GetTop() != 1 {
		return raiseReply(L, "ERR redis.setresp() requires one argument.")
	}
	n, _ := L.Get(1).(lua.LNumber)
	if n != 2 && n != 3 {
		return raiseReply(L, "ERR RESP version must be 2 or 3.")
	}
	m.proto = int(n)
	return 0
}

// setRepl checks its argument: everything that a script does is logged and replicated.
func setRepl(L *lua.LState) int {
	if L.GetTop() != 1 {
		return raiseReply(L, "ERR redis.set_repl() requires two arguments.")
	}
	if n, _ := L.Get(1).(lua.LNumber); n < 0 || n > 3 || n != lua.LNumber(int(n)) {
		return raiseReply(L, "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")
	}
	return 0
}

// log(level, text...) joins the texts with blanks.
func (m *Machine) log(L *lua.LState) int {
	if L.GetTop() < 2 {
		return raiseReply(L, "ERR redis.log() requires two arguments or more.")
	}
	level, ok := L.Get(1).(lua.LNumber)
	if !ok {
		return raiseReply(L, "ERR First argument must be a number (log level).")
	}
	if level < 0 || level > 3 {
		return raiseReply(L, "ERR Invalid debug level.")
	}
	var line strings.Builder
	for i := 2; i <= L.GetTop() && line.Len() < maxLogLine; i++ {
		if !lua.LVCanConvToString(L.Get(i)) {
			continue
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(shown(L.Get(i)))
	}
	text := line.String()
	m.host.Log(int(level), text[:min(len(text), maxLogLine)])
	return 0
}

// maxLogLine is Redis' bound of a line of its log.
const maxLogLine = 1024

func (m *Machine) aclCheck(L *lua.LState) int {
	argv, problem := m.readArgs(L)
	if problem != "" {
		return raiseReply(L, problem)
	}
	allowed, err := m.host.Allowed(argv)
	if err != nil {
		return raiseReply(L, err.Error())
	}
	L.Push(lua.LBool(allowed))
	return 1
}
