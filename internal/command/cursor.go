package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
)

// cursor reads a command's options from left to right. It keeps its first
// error, after which there is nothing more to read; ask for it once at the end.
type cursor struct {
	in  Args
	at  int
	err error
}

// options starts at the argument in[at].
func options(in Args, at int) cursor { return cursor{in: in, at: at} }

// more says whether an argument is left.
func (c *cursor) more() bool { return c.err == nil && c.at < len(c.in) }

// word takes the next argument if it is w, which is in capitals, in any case.
func (c *cursor) word(w string) bool {
	if !c.more() || !isWord(c.in[c.at], w) {
		return false
	}
	c.at++
	return true
}

// arg takes the next argument; it is a syntax error that there is none.
func (c *cursor) arg() []byte {
	if !c.more() {
		c.fail(errs.Syntax)
		return nil
	}
	c.at++
	return c.in[c.at-1]
}

// int takes the next argument as an integer.
func (c *cursor) int() int64 {
	arg := c.arg()
	if c.err != nil {
		return 0
	}
	n, err := intArg(arg)
	c.fail(err)
	return n
}

// check makes it a syntax error that a condition does not hold.
func (c *cursor) check(holds bool) {
	if !holds {
		c.fail(errs.Syntax)
	}
}

// fail keeps err unless there is one already; nil is none.
func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// isWord says whether arg is w, which is in capitals, in any case.
func isWord(arg []byte, w string) bool {
	if len(arg) != len(w) {
		return false
	}
	for i, ch := range arg {
		if ch >= 'a' && ch <= 'z' {
			ch -= 'a' - 'A'
		}
		if ch != w[i] {
			return false
		}
	}
	return true
}

// intArg reads an integer.
func intArg(arg []byte) (int64, error) {
	n, ok := engine.ParseInt(arg)
	if !ok {
		return 0, errs.NotInteger
	}
	return n, nil
}

// int32Arg reads what Redis keeps in a C int.
func int32Arg(arg []byte) (int, error) {
	n, err := intArg(arg)
	if err == nil && (n < -1<<31 || n > 1<<31-1) {
		err = errs.OutOfRange(-1<<31, 1<<31-1)
	}
	return int(n), err
}
