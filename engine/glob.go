package engine

// Glob patterns as Redis matches them (util.c, stringmatchlen): * any bytes,
// ? one byte, [a-c^] one of a class, [^…] one not of it, \ takes the next byte
// as it is. There is no way to spell an error: a bracket that does not close is
// closed by the pattern's end, a last \ is itself. Ranges compare bytes as C's
// signed char: 0x80 … 0xff come before 0.
//
// Only the last * ever needs to take more: if what follows an earlier one does
// not fit behind its shortest match, it does not fit behind a longer one
// either. So the match keeps one place to come back to, uses no stack, and costs
// at most len(pattern)·len(s) steps.

// Match says whether the whole of s matches pattern.
func Match(pattern, s []byte) bool { return match(pattern, s, false) }

// MatchFold is Match where a letter's case makes no difference.
func MatchFold(pattern, s []byte) bool { return match(pattern, s, true) }

func match(pattern, s []byte, fold bool) bool {
	p, i := 0, 0
	star, mark := -1, 0 // behind the last * seen, and where it ended in s
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			for p < len(pattern) && pattern[p] == '*' {
				p++
			}
			if p == len(pattern) {
				return true
			}
			star, mark = p, i
			continue
		}
		if p < len(pattern) {
			if next, ok := matchOne(pattern, p, s[i], fold); ok {
				p, i = next, i+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark++
		p, i = star, mark
	}
	if i > 0 { // as Redis: nothing at all matches the empty pattern only
		for p < len(pattern) && pattern[p] == '*' {
			p++
		}
	}
	return p == len(pattern)
}

// matchOne matches the byte c with what stands at p in pattern, which is no *,
// and returns where the pattern goes on.
func matchOne(pattern []byte, p int, c byte, fold bool) (next int, ok bool) {
	switch pattern[p] {
	case '?':
		return p + 1, true
	case '[':
		return matchClass(pattern, p+1, c, fold)
	case '\\':
		if p+1 < len(pattern) {
			p++
		}
	}
	return p + 1, folded(pattern[p], fold) == folded(c, fold)
}

// matchClass matches c with the class whose [ stands before p.
func matchClass(pattern []byte, p int, c byte, fold bool) (next int, ok bool) {
	c = folded(c, fold)
	negated := p < len(pattern) && pattern[p] == '^'
	if negated {
		p++
	}
	found := false
	for p < len(pattern) && pattern[p] != ']' {
		switch {
		case pattern[p] == '\\' && p+1 < len(pattern):
			p++
			found = found || folded(pattern[p], fold) == c
		case p+2 < len(pattern) && pattern[p+1] == '-':
			lo, hi := int8(folded(pattern[p], fold)), int8(folded(pattern[p+2], fold))
			p += 2
			found = found || min(lo, hi) <= int8(c) && int8(c) <= max(lo, hi)
		default:
			found = found || folded(pattern[p], fold) == c
		}
		p++
	}
	return min(p+1, len(pattern)), found != negated
}

func folded(c byte, fold bool) byte {
	if fold && c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// IsLiteral says whether a pattern has no special characters: it matches itself
// and nothing else.
func IsLiteral(pattern []byte) bool {
	for _, c := range pattern {
		if c == '*' || c == '?' || c == '[' || c == '\\' {
			return false
		}
	}
	return true
}
