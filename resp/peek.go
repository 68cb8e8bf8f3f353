package resp

// Peek appends to dst the first argument of each of the next n commands, as far
// as they are there as a whole; it takes none. Of commands without an argument,
// and from the first one on that is inline, odd or incomplete, it tells nothing.
// It is for looking at keys before their turn has come: they point into the read
// buffer and are good until Buffer, Next or Release.
func (p *Parser) Peek(dst [][]byte, n int) [][]byte {
	if p.left > 0 || p.err != nil {
		return dst
	}
	for b := p.buf[p.pos:]; n > 0; n-- {
		var key []byte
		args, rest, ok := peekHeader(b, '*')
		for i := 0; ok && i < args; i++ {
			var size int
			if size, rest, ok = peekHeader(rest, '$'); !ok || size+2 > len(rest) {
				return dst
			}
			if i == 1 {
				key = rest[:size]
			}
			rest = rest[size+2:]
		}
		if !ok || args == 0 {
			return dst
		}
		if args > 1 {
			dst = append(dst, key)
		}
		b = rest
	}
	return dst
}

// peekHeader reads a line of mark and at most seven digits.
func peekHeader(b []byte, mark byte) (n int, rest []byte, ok bool) {
	if len(b) < 4 || b[0] != mark {
		return 0, nil, false
	}
	for i := 1; i < len(b)-1 && i < 9; i++ {
		c := b[i] - '0'
		if c <= 9 {
			n = n*10 + int(c)
			continue
		}
		return n, b[i+2:], b[i] == '\r' && i > 1
	}
	return 0, nil, false
}
