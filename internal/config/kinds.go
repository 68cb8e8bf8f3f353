package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// boolKind is yes or no.
type boolKind struct{}

func (boolKind) parse(w []string, _ string) (string, error) {
	switch s := strings.ToLower(w[0]); s {
	case "yes", "no":
		return s, nil
	}
	return "", Refusal("argument must be 'yes' or 'no'")
}

func (boolKind) lines(text string) []string { return []string{text} }

// unit is how a number is written.
type unit uint8

const (
	plain   unit = iota
	memory       // 1024, 1kb, 1gb
	octal        // 700
	percent      // memory, or 10%, kept as "10%"
)

// intKind is a number within bounds.
type intKind struct {
	min, max int64
	unit     unit
}

func (k intKind) parse(w []string, _ string) (string, error) {
	s := w[0]
	var n int64
	var ok, tooMuch bool
	switch k.unit {
	case memory, percent:
		if num, is := strings.CutSuffix(s, "%"); is && k.unit == percent {
			return parsePercent(num)
		}
		if n, ok, tooMuch = parseMemory(s); !ok {
			if k.unit == percent {
				return "", Refusal("argument must be a memory or percent value")
			}
			return "", Refusal("argument must be a memory value")
		}
	case octal:
		v, err := strconv.ParseInt(s, 8, 64)
		if err != nil {
			return "", Refusal("argument couldn't be parsed as an octal number")
		}
		n = v
	default:
		if n, ok = parseInt(s); !ok {
			return "", Refusal("argument couldn't be parsed into an integer")
		}
	}
	if n < k.min || n > k.max || tooMuch {
		if k.unit == octal {
			return "", fmt.Errorf("argument must be between %o and %o inclusive", k.min, k.max)
		}
		return "", fmt.Errorf("argument must be between %d and %d inclusive", k.min, k.max)
	}
	if k.unit == octal {
		return strconv.FormatInt(n, 8), nil
	}
	return strconv.FormatInt(n, 10), nil
}

func (k intKind) lines(text string) []string {
	if k.unit == memory || k.unit == percent {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return []string{formatMemory(n)}
		}
	}
	return []string{text}
}

func parsePercent(num string) (string, error) {
	n, ok := parseInt(num)
	if !ok || n < 0 {
		return "", Refusal("argument must be a memory or percent value")
	}
	if n > 100 {
		return "", Refusal("percentage argument must be less or equal to 100")
	}
	return num + "%", nil
}

// parseInt reads an integer in its one canonical spelling: no spaces, plus sign
// or leading zeros (Redis util.c, string2ll).
func parseInt(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == s
}

var memoryUnits = map[string]int64{
	"": 1, "b": 1,
	"k": 1000, "kb": 1 << 10,
	"m": 1000 * 1000, "mb": 1 << 20,
	"g": 1000 * 1000 * 1000, "gb": 1 << 30,
}

// parseMemory reads a size such as 100, 1k (1000) or 1kb (1024), in bytes.
// More than an int64 holds is the greatest int64 and tooMuch.
func parseMemory(s string) (n int64, ok, tooMuch bool) {
	digits := 0
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	mul, ok := memoryUnits[strings.ToLower(s[digits:])]
	if !ok || digits == 0 {
		return 0, ok, false // Redis util.c, memtoull: no digits are 0
	}
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	if err != nil || n > math.MaxInt64/mul {
		return math.MaxInt64, true, true
	}
	return n * mul, true, false
}

// formatMemory is the shortest exact way to write n bytes in a file.
func formatMemory(n int64) string {
	for _, u := range []string{"gb", "mb", "kb"} {
		if m := memoryUnits[u]; n >= m && n%m == 0 {
			return strconv.FormatInt(n/m, 10) + u
		}
	}
	return strconv.FormatInt(n, 10)
}

// enumKind is one of some words; any number of them when many is set.
type enumKind struct {
	words []string
	many  bool
}

func (k enumKind) parse(w []string, _ string) (string, error) {
	if len(w) == 0 {
		return "", k.refuse()
	}
	var out []string
	for _, word := range k.words {
		for _, s := range w {
			if strings.EqualFold(s, word) {
				out = append(out, word)
				break
			}
		}
	}
	for _, s := range w {
		if !k.has(s) {
			return "", k.refuse()
		}
	}
	return strings.Join(out, " "), nil
}

func (k enumKind) has(s string) bool {
	for _, word := range k.words {
		if strings.EqualFold(s, word) {
			return true
		}
	}
	return false
}

func (k enumKind) refuse() error {
	return Refusal("argument(s) must be one of the following: " + strings.Join(k.words, ", "))
}

func (enumKind) lines(text string) []string { return []string{text} }

// textKind is any text, checked by valid when there is one.
type textKind struct{ valid func(s string) error }

func (k textKind) parse(w []string, _ string) (string, error) {
	if k.valid != nil {
		if err := k.valid(w[0]); err != nil {
			return "", err
		}
	}
	return w[0], nil
}

func (textKind) lines(text string) []string { return []string{Quote(text)} }

// wordsKind is a list of words.
type wordsKind struct{}

func (wordsKind) parse(w []string, _ string) (string, error) { return strings.Join(w, " "), nil }

func (wordsKind) lines(text string) []string {
	if text == "" {
		return []string{`""`}
	}
	return []string{text}
}

// Quote writes s so that the parser of configuration lines reads it back.
func Quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, needsQuote) && s[0] != '#' {
		return s
	}
	b := []byte{'"'}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ' || c == 0x7f:
			b = fmt.Appendf(b, `\x%02x`, c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

func needsQuote(r rune) bool { return r <= ' ' || r == 0x7f || r == '"' || r == '\'' || r == '\\' }
