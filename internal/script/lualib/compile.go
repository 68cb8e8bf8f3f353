package lualib

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// concatName is the local variable around each chunk that holds the function of the .. operator. No script can write it.
const concatName = "(concat)"

const (
	maxSyntaxDepth = 1000    // of a tree of syntax: the compiler calls itself for each level
	maxSource      = 8 << 20 // bytes of a chunk: the parser takes some hundred bytes for each of nested brackets
)

// Compile parses source and compiles it with two changes to what gopher-lua would run: numbers are read as Lua 5.1 reads
// them, and a .. b becomes a call of a function that writes numbers as Lua 5.1 and bounds the result. That function reaches
// the chunk as an upvalue.
//
// A proto belongs to no state: Libs.Function makes a function of it. chunk is the chunk's name as Lua has it: @file, =name
// or a source. Errors are syntax errors with their line.
func Compile(source, chunk string) (*lua.FunctionProto, error) {
	name := chunkName(chunk)
	switch {
	case strings.HasPrefix(source, "\x1bLua"):
		return nil, fmt.Errorf("%s: bad binary chunk", name)
	case len(source) > maxSource:
		return nil, fmt.Errorf("%s: chunk is too long", name)
	}
	stmts, err := parse.Parse(strings.NewReader(source), name)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	c := compiler{name: name}
	if c.function(&ast.ParList{HasVargs: true}, stmts); c.err != nil {
		return nil, c.err
	}
	proto, err := lua.Compile(wrap(stmts), name)
	if e, ok := errors.AsType[*lua.CompileError](err); ok {
		return nil, fmt.Errorf("%s:%d: %s", name, e.Line, e.Message)
	}
	return proto, err
}

// chunkName is how errors name a chunk: a file or name as it is, of a source the beginning.
func chunkName(chunk string) string {
	const most = 59
	switch {
	case strings.HasPrefix(chunk, "="):
		return chunk[1:min(len(chunk), most+1)]
	case strings.HasPrefix(chunk, "@"):
		if name := chunk[1:]; len(name) <= most-7 {
			return name
		}
		return "..." + chunk[len(chunk)-(most-7):]
	}
	line := chunk
	if i := strings.IndexAny(chunk, "\n\r"); i >= 0 {
		line = chunk[:i]
	}
	const room = most - len(`[string "..."]`) - 2
	if len(line) > room {
		line = line[:room]
	}
	if len(line) < len(chunk) {
		line += "..."
	}
	return `[string "` + line + `"]`
}

// syntaxError tells the line and what stands there, in Lua's words. The parser is gopher-lua's, which knows less of what it
// expected.
func syntaxError(name string, err error) error {
	e, ok := errors.AsType[*parse.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", name, err)
	}
	message := strings.TrimSpace(e.Message)
	if message == "syntax error" {
		message = "unexpected symbol"
	}
	if e.Pos.Line == parse.EOF {
		return fmt.Errorf("%s: %s near '<eof>'", name, message)
	}
	return fmt.Errorf("%s:%d: %s near '%s'", name, e.Pos.Line, message, strings.TrimSpace(e.Token))
}

// wrap makes `local (concat) = ...; return function(...) <stmts> end`.
func wrap(stmts []ast.Stmt) []ast.Stmt {
	fn := &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: true}, Stmts: stmts}
	fn.SetLine(1)
	last := 1
	if len(stmts) > 0 {
		last = stmts[len(stmts)-1].LastLine()
	}
	fn.SetLastLine(max(last, 1))
	return []ast.Stmt{
		&ast.LocalAssignStmt{Names: []string{concatName}, Exprs: []ast.Expr{&ast.Comma3Expr{}}},
		&ast.ReturnStmt{Exprs: []ast.Expr{fn}},
	}
}

// Function makes a function of a compiled chunk, in this state.
func (l *Libs) Function(proto *lua.FunctionProto) *lua.LFunction {
	return l.function(l.L, proto)
}

func (l *Libs) function(L *lua.LState, proto *lua.FunctionProto) *lua.LFunction {
	L.Push(L.NewFunctionFromProto(proto))
	L.Push(l.concat)
	L.Call(1, 1)
	fn, _ := L.Get(-1).(*lua.LFunction) // Compile wraps every chunk in one
	L.Pop(1)
	return fn
}

// compiler rewrites a tree of syntax. It follows scopes to name an operand in an error.
type compiler struct {
	name  string
	depth int
	fn    int // functions around this place
	scope *scope
	err   error // the first
}

// scope is a block's local variables.
type scope struct {
	outer *scope
	fn    int
	names []string
}

func (c *compiler) fail(line int, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%s:%d: %s", c.name, line, fmt.Sprintf(format, args...))
	}
}

// enter counts a level; false when there are too many.
func (c *compiler) enter(line int) bool {
	if c.depth++; c.depth > maxSyntaxDepth {
		c.fail(line, "chunk has too many syntax levels")
		return false
	}
	return c.err == nil
}

func (c *compiler) declare(names ...string) { c.scope.names = append(c.scope.names, names...) }

// block runs f in a scope of its own.
func (c *compiler) block(f func()) {
	c.scope = &scope{outer: c.scope, fn: c.fn}
	f()
	c.scope = c.scope.outer
}

func (c *compiler) function(params *ast.ParList, stmts []ast.Stmt) {
	c.fn++
	c.block(func() {
		c.declare(params.Names...)
		c.stmts(stmts)
	})
	c.fn--
}

func (c *compiler) stmts(stmts []ast.Stmt) {
	for _, s := range stmts {
		if c.enter(s.Line()) {
			c.stmt(s)
		}
		c.depth--
	}
}

func (c *compiler) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		c.exprs(s.Lhs)
		c.exprs(s.Rhs)
	case *ast.LocalAssignStmt:
		c.localAssign(s)
	case *ast.FuncCallStmt:
		s.Expr = c.expr(s.Expr)
	case *ast.DoBlockStmt:
		c.block(func() { c.stmts(s.Stmts) })
	case *ast.WhileStmt:
		s.Condition = c.expr(s.Condition)
		c.block(func() { c.stmts(s.Stmts) })
	case *ast.RepeatStmt:
		c.block(func() {
			c.stmts(s.Stmts)
			s.Condition = c.expr(s.Condition)
		})
	case *ast.IfStmt:
		s.Condition = c.expr(s.Condition)
		c.block(func() { c.stmts(s.Then) })
		c.block(func() { c.stmts(s.Else) })
	case *ast.ReturnStmt:
		c.exprs(s.Exprs)
	default:
		c.loopOrFunction(s)
	}
}

func (c *compiler) loopOrFunction(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.NumberForStmt:
		s.Init, s.Limit, s.Step = c.expr(s.Init), c.expr(s.Limit), c.expr(s.Step)
		c.block(func() {
			c.declare(s.Name)
			c.stmts(s.Stmts)
		})
	case *ast.GenericForStmt:
		c.exprs(s.Exprs)
		c.block(func() {
			c.declare(s.Names...)
			c.stmts(s.Stmts)
		})
	case *ast.FuncDefStmt:
		s.Name.Func, s.Name.Receiver = c.expr(s.Name.Func), c.expr(s.Name.Receiver)
		c.block(func() {
			if s.Name.Method != "" {
				c.fn++
				c.scope.fn = c.fn
				c.declare("self")
				c.fn--
			}
			c.expr(s.Func)
		})
	}
}

// localAssign declares the names behind the values; a local function's own before.
func (c *compiler) localAssign(s *ast.LocalAssignStmt) {
	if len(s.Names) == 1 && len(s.Exprs) == 1 {
		if _, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
			c.declare(s.Names...)
			c.exprs(s.Exprs)
			return
		}
	}
	c.exprs(s.Exprs)
	c.declare(s.Names...)
}

func (c *compiler) exprs(list []ast.Expr) {
	for i := range list {
		list[i] = c.expr(list[i])
	}
}

// expr rewrites an expression and returns what takes its place.
func (c *compiler) expr(e ast.Expr) ast.Expr {
	if e == nil {
		return nil
	}
	defer func() { c.depth-- }()
	if !c.enter(e.Line()) {
		return e
	}
	switch e := e.(type) {
	case *ast.NumberExpr:
		c.number(e)
	case *ast.AttrGetExpr:
		e.Object, e.Key = c.expr(e.Object), c.expr(e.Key)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			f.Key, f.Value = c.expr(f.Key), c.expr(f.Value)
		}
	case *ast.FuncCallExpr:
		e.Func, e.Receiver = c.expr(e.Func), c.expr(e.Receiver)
		c.exprs(e.Args)
	case *ast.FunctionExpr:
		c.function(e.ParList, e.Stmts)
	case *ast.StringConcatOpExpr:
		return c.concat(e)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = c.expr(e.Lhs), c.expr(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = c.expr(e.Lhs), c.expr(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = c.expr(e.Lhs), c.expr(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = c.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = c.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = c.expr(e.Expr)
	}
	return e
}

// number writes a number so that gopher-lua reads it as Lua does.
func (c *compiler) number(e *ast.NumberExpr) {
	f, ok := ParseNumber(e.Value)
	if !ok {
		c.fail(e.Line(), "malformed number near '%s'", e.Value)
	}
	e.Value = strconv.FormatFloat(f, 'g', -1, 64)
}

// concat makes a call of a chain of .. operators: of the operands' names, for errors, and the operands.
func (c *compiler) concat(e *ast.StringConcatOpExpr) ast.Expr {
	var operands []ast.Expr
	var rest ast.Expr = e
	for {
		chain, ok := rest.(*ast.StringConcatOpExpr)
		if !ok {
			operands = append(operands, rest)
			break
		}
		operands = append(operands, chain.Lhs)
		rest = chain.Rhs
	}
	names := make([]string, len(operands))
	for i, o := range operands {
		names[i] = c.describe(o)
		operands[i] = oneValue(c.expr(o))
	}
	for len(operands) > maxOperands {
		n := len(operands) - maxOperands
		operands = append(operands[:n:n], concatCall(e, names[n:], operands[n:]))
		names = append(names[:n:n], "")
	}
	return concatCall(e, names, operands)
}

// maxOperands is how many operands one call joins: each takes a register.
const maxOperands = 32

func concatCall(e ast.Expr, names []string, operands []ast.Expr) ast.Expr {
	call := &ast.FuncCallExpr{Func: &ast.IdentExpr{Value: concatName}, AdjustRet: true}
	call.Args = append([]ast.Expr{&ast.StringExpr{Value: strings.Join(names, "\n")}}, operands...)
	for _, node := range []ast.Expr{call, call.Func, call.Args[0]} {
		node.SetLine(e.Line())
		node.SetLastLine(e.LastLine())
	}
	return call
}

// oneValue cuts a call's results to one, as an operand's are.
func oneValue(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

// describe is how Lua's errors name an operand: local 'x', field 'y'; empty for what has no name.
func (c *compiler) describe(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.IdentExpr:
		return c.kind(e.Value) + " '" + e.Value + "'"
	case *ast.AttrGetExpr:
		if key, ok := e.Key.(*ast.StringExpr); ok && !strings.Contains(key.Value, "\n") {
			return "field '" + key.Value + "'"
		}
		return "field '?'"
	}
	return ""
}

func (c *compiler) kind(name string) string {
	for s := c.scope; s != nil; s = s.outer {
		for _, n := range s.names {
			if n == name && s.fn == c.fn {
				return "local"
			} else if n == name {
				return "upvalue"
			}
		}
	}
	return "global"
}
