package config

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// saveKind is pairs of seconds and changes; "" for none.
type saveKind struct{}

func (saveKind) parse(w []string, _ string) (string, error) {
	if len(w) == 1 && w[0] == "" {
		w = nil
	}
	if len(w)%2 != 0 {
		return "", Refusal("Invalid save parameters")
	}
	for i, s := range w {
		least := int64(1 - i%2) // seconds from 1, changes from 0
		if n, ok := parseInt(s); !ok || n < least {
			return "", Refusal("Invalid save parameters")
		}
	}
	return strings.Join(w, " "), nil
}

func (saveKind) lines(text string) []string {
	if text == "" {
		return []string{`""`}
	}
	w := strings.Fields(text)
	var out []string
	for i := 0; i < len(w); i += 2 {
		out = append(out, w[i]+" "+w[i+1])
	}
	return out
}

// limitsKind is client-output-buffer-limit: class, hard, soft, seconds, for any
// of the classes.
type limitsKind struct{}

var classNames = [3]string{"normal", "slave", "pubsub"}

func classOf(s string) int {
	s = strings.ToLower(s)
	if s == "replica" {
		s = "slave"
	}
	return slices.Index(classNames[:], s)
}

func (limitsKind) parse(w []string, old string) (string, error) {
	if len(w)%4 != 0 {
		return "", Refusal("Wrong number of arguments in buffer limit configuration.")
	}
	values := parseLimits(old)
	for ; len(w) > 0; w = w[4:] {
		class := classOf(w[0])
		if class < 0 {
			return "", Refusal("Invalid client class specified in buffer limit configuration.")
		}
		hard, ok1, much1 := parseMemory(w[1])
		soft, ok2, much2 := parseMemory(w[2])
		secs, err := strconv.Atoi(w[3])
		if !ok1 || !ok2 || much1 || much2 || err != nil || secs < 0 {
			return "", Refusal("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
		}
		values[class] = OutputLimit{hard, soft, secs}
	}
	return formatLimits(values), nil
}

func (limitsKind) lines(text string) []string {
	var out []string
	for class, l := range parseLimits(text) {
		name := classNames[class]
		if class == ClassReplica {
			name = "replica"
		}
		out = append(out, fmt.Sprintf("%s %s %s %d", name, formatMemory(l.Hard), formatMemory(l.Soft), l.SoftSeconds))
	}
	return out
}

// parseLimits reads what formatLimits wrote.
func parseLimits(text string) (v [3]OutputLimit) {
	w := strings.Fields(text)
	for ; len(w) >= 4; w = w[4:] {
		hard, _, _ := parseMemory(w[1])
		soft, _, _ := parseMemory(w[2])
		secs, _ := strconv.Atoi(w[3])
		v[classOf(w[0])] = OutputLimit{hard, soft, secs}
	}
	return v
}

func formatLimits(v [3]OutputLimit) string {
	var out []string
	for class, l := range v {
		out = append(out, fmt.Sprintf("%s %d %d %d", classNames[class], l.Hard, l.Soft, l.SoftSeconds))
	}
	return strings.Join(out, " ")
}

// eventsKind is notify-keyspace-events: letters, shown in Redis' order.
//
// Redis forgets to show an "n" beside "A"; a rewritten file would lose it, so
// here it is shown.
type eventsKind struct{}

const (
	eventsAll   = "g$lshzxetd" // what A stands for
	eventsOrder = eventsAll + "nKEm"
)

func (eventsKind) parse(w []string, _ string) (string, error) {
	var set [128]bool
	for _, c := range w[0] {
		switch {
		case c == 'A':
			for _, a := range eventsAll {
				set[a] = true
			}
		case strings.ContainsRune(eventsOrder, c):
			set[c] = true
		default:
			return "", Refusal("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
		}
	}
	var b strings.Builder
	for _, c := range eventsOrder {
		if set[c] {
			b.WriteRune(c)
		}
	}
	text := b.String()
	if rest, all := strings.CutPrefix(text, eventsAll); all {
		text = "A" + rest
	}
	return text, nil
}

func (eventsKind) lines(text string) []string { return []string{`"` + text + `"`} }

// percentilesKind is a list of numbers from 0 to 100.
type percentilesKind struct{}

func (percentilesKind) parse(w []string, _ string) (string, error) {
	var out []string
	for _, s := range w {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return "", Refusal("Invalid latency-tracking-info-percentiles parameters")
		}
		if math.IsNaN(f) || f < 0 || f > 100 {
			return "", Refusal("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
		}
		out = append(out, strconv.FormatFloat(f, 'f', -1, 64))
	}
	return strings.Join(out, " "), nil
}

func (percentilesKind) lines(text string) []string { return wordsKind{}.lines(text) }

// oomKind is oom-score-adj-values: three numbers.
type oomKind struct{}

func (oomKind) parse(w []string, _ string) (string, error) {
	if len(w) != 3 {
		return "", errWords
	}
	for _, s := range w {
		if n, ok := parseInt(s); !ok || n < -2000 || n > 2000 {
			return "", Refusal("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
		}
	}
	return strings.Join(w, " "), nil
}

func (oomKind) lines(text string) []string { return []string{text} }

// shutdownKind is what a signal's shutdown does: words that may not
// contradict each other.
type shutdownKind struct{ enumKind }

func (k shutdownKind) parse(w []string, old string) (string, error) {
	text, err := k.enumKind.parse(w, old)
	if err == nil && strings.Contains(text+" ", "nosave ") && strings.HasPrefix(strings.TrimPrefix(text, "default "), "save ") {
		return "", Refusal("shutdown options SAVE and NOSAVE can't be used simultaneously")
	}
	if text != "default" {
		text = strings.TrimPrefix(text, "default ")
	}
	return text, err
}

// clampKind is a number that is moved into narrower bounds instead of refused.
type clampKind struct {
	intKind
	low, high int64
}

func (k clampKind) parse(w []string, old string) (string, error) {
	text, err := k.intKind.parse(w, old)
	if err != nil {
		return "", err
	}
	n, _ := parseInt(text)
	return strconv.FormatInt(min(max(n, k.low), k.high), 10), nil
}

// isDir says, in the system's words, why s cannot be a working directory.
func isDir(s string) error {
	fi, err := os.Stat(s)
	var no syscall.Errno
	switch {
	case errors.As(err, &no):
		return Refusal(capital(no.Error()))
	case err != nil:
		return err
	case !fi.IsDir():
		return Refusal(capital(syscall.ENOTDIR.Error()))
	}
	return nil
}

// capital gives an error of the system the capital letter that C gives it.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// isBaseName refuses paths.
func isBaseName(what string) func(string) error {
	return func(s string) error {
		if strings.ContainsRune(s, '/') {
			return Refusal(what + " can't be a path, just a filename")
		}
		return nil
	}
}

// isHostName allows what may stand in a host's name.
func isHostName(s string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789-."
	if strings.Trim(strings.ToLower(s), allowed) != "" {
		return Refusal("Hostnames may only contain alphanumeric characters, hyphens or dots")
	}
	return nil
}

var titleVariables = []string{"title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"}

// isTitleTemplate allows text with known variables in braces.
func isTitleTemplate(s string) error {
	bad := Refusal("template format is invalid or contains unknown variables")
	if s == "" {
		return bad
	}
	for {
		_, rest, found := strings.Cut(s, "{")
		if !found {
			return nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !slices.Contains(titleVariables, name) {
			return bad
		}
		s = after
	}
}
