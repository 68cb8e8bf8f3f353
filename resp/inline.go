package resp

import (
	"coatcheck/engine/errs"
)

// inline reads a command typed as a line. It returns no argv while the line's
// end has not come; again says that it was a line of blanks, now behind us.
func (p *Parser) inline() (argv [][]byte, again bool, err error) {
	end, state := p.line('\n')
	switch state {
	case lineOpen:
		return nil, false, nil
	case lineTooLong:
		return nil, false, errs.Protocol("too big inline request")
	}
	line := p.buf[p.pos:end]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	first := len(p.work.argv)
	all, ok := splitLine(p.work.argv, line)
	if !ok {
		return nil, false, errs.Protocol("unbalanced quotes in request")
	}
	p.work.argv = all
	p.start, p.pos, p.scan = end+1, end+1, 0
	if len(all) == first {
		return nil, true, nil
	}
	return all[first:len(all):len(all)], false, nil
}

// splitLine appends the words of line, as redis-cli and Redis understand them:
// separated by blanks; in "double quotes" with \n \r \t \b \a \xHH and \ before
// any other byte, in 'single quotes' with \' only; a closing quote ends its word.
// Words are unquoted in place. It fails when a quote is not closed, or closed
// in the middle of a word.
func splitLine(argv [][]byte, line []byte) (_ [][]byte, ok bool) {
	for i := 0; ; {
		for i < len(line) && isSpace(line[i]) {
			i++
		}
		if i == len(line) {
			return argv, true
		}
		word, n, ok := splitWord(line[i:])
		if !ok {
			return argv, false
		}
		argv = append(argv, word)
		i += n
	}
}

// splitWord unquotes the word that line begins with, and tells how many bytes
// of line it took.
func splitWord(line []byte) (word []byte, n int, ok bool) {
	w := 0
	for n < len(line) {
		switch c := line[n]; c {
		case ' ', '\t', '\r', '\n':
			return line[:w:w], n, true
		case '"', '\'':
			m, size := unquote(line[n+1:], line[w:], c)
			if size < 0 {
				return nil, 0, false
			}
			w += m
			n += 1 + size
			if n < len(line) && !isSpace(line[n]) {
				return nil, 0, false
			}
			return line[:w:w], n, true
		default:
			line[w] = c
			w++
			n++
		}
	}
	return line[:w:w], n, true
}

// unquote copies what stands before the closing quote to dst, which may
// lie before src in the same array, and returns the bytes written and the bytes
// read, with the quote. read is negative without a closing quote.
func unquote(src, dst []byte, quote byte) (written, read int) {
	w := 0
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case c == quote:
			return w, i + 1
		case c == '\\' && quote == '\'' && i+1 < len(src) && src[i+1] == '\'':
			i++
			c = '\''
		case c == '\\' && quote == '"' && i+3 < len(src) && src[i+1] == 'x' && isHex(src[i+2]) && isHex(src[i+3]):
			c = unhex(src[i+2])<<4 | unhex(src[i+3])
			i += 3
		case c == '\\' && quote == '"' && i+1 < len(src):
			i++
			c = unescape(src[i])
		}
		dst[w] = c
		w++
	}
	return 0, -1
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}

func isSpace(c byte) bool { return c == ' ' || c-'\t' < 5 }

func isHex(c byte) bool { return c-'0' < 10 || c|0x20-'a' < 6 }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
