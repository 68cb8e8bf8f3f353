package config

var errQuotes = Refusal("Unbalanced quotes in configuration line")

// Split cuts a line into words by spaces. Words in double quotes may hold
// spaces and the escapes \n \r \t \b \a \xHH; in single quotes only \' is one
// (Redis sds.c, sdssplitargs).
func Split(line string) ([]string, error) {
	var words []string
	s := scanner{in: line}
	for {
		s.skipSpace()
		if s.done() {
			return words, nil
		}
		w, err := s.word()
		if err != nil {
			return nil, err
		}
		words = append(words, w)
	}
}

type scanner struct {
	in string
	at int
}

func (s *scanner) done() bool { return s.at >= len(s.in) }

func (s *scanner) skipSpace() {
	for !s.done() && isSpace(s.in[s.at]) {
		s.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c == 0 }

func (s *scanner) word() (string, error) {
	var out []byte
	for !s.done() && !isSpace(s.in[s.at]) {
		c := s.in[s.at]
		s.at++
		if c != '"' && c != '\'' {
			out = append(out, c)
			continue
		}
		q, err := s.quoted(c)
		if err != nil {
			return "", err
		}
		out = append(out, q...)
		if !s.done() && !isSpace(s.in[s.at]) {
			return "", errQuotes // a closing quote ends the word
		}
	}
	return string(out), nil
}

// quoted reads up to and with the closing mark.
func (s *scanner) quoted(mark byte) ([]byte, error) {
	var out []byte
	for !s.done() {
		c := s.in[s.at]
		s.at++
		switch {
		case c == mark:
			return out, nil
		case c == '\\' && !s.done() && mark == '"':
			out = append(out, s.escape())
		case c == '\\' && !s.done() && s.in[s.at] == '\'':
			out = append(out, '\'')
			s.at++
		default:
			out = append(out, c)
		}
	}
	return nil, errQuotes
}

// escape reads what follows a backslash in double quotes.
func (s *scanner) escape() byte {
	c := s.in[s.at]
	s.at++
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
	case 'x':
		if s.at+1 < len(s.in) {
			hi, ok1 := hexDigit(s.in[s.at])
			lo, ok2 := hexDigit(s.in[s.at+1])
			if ok1 && ok2 {
				s.at += 2
				return hi<<4 | lo
			}
		}
	}
	return c
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
