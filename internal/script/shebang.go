package script

import (
	"strings"

	"coatcheck/engine/errs"
)

// Flags are what a script says of itself in its first line.
type Flags uint8

// The flags of scripts. Compatible is a script without a first line of that kind: nothing
// is known of it.
const (
	NoWrites Flags = 1 << iota
	AllowOOM
	AllowStale
	NoCluster
	AllowCrossSlot
	Compatible
)

var flagNames = map[string]Flags{
	"no-writes": NoWrites, "allow-oom": AllowOOM, "allow-stale": AllowStale, "no-cluster": NoCluster,
	"allow-cross-slot-keys": AllowCrossSlot,
}

func refuse(text string) error { return &errs.Error{Code: "ERR", Text: text} }

// readShebang reads "#!lua flags=a,b" and returns the source with that line empty, so that
// lines keep their numbers.
func readShebang(source string) (flags Flags, body string, err error) {
	if !strings.HasPrefix(source, "#!") {
		return Compatible, source, nil
	}
	end := strings.IndexByte(source, '\n')
	if end < 0 {
		return 0, "", refuse("Invalid script shebang")
	}
	words := strings.Fields(source[:end])
	if words[0] != "#!lua" {
		return 0, "", refuse("Unexpected engine in script shebang: " + words[0])
	}
	for _, word := range words[1:] {
		list, ok := strings.CutPrefix(word, "flags=")
		if !ok {
			return 0, "", refuse("Unknown lua shebang option: " + word)
		}
		for name := range strings.SplitSeq(list, ",") {
			flag, ok := flagNames[name]
			if !ok && name != "" {
				return 0, "", refuse("Unexpected flag in script shebang: " + name)
			}
			flags |= flag
		}
	}
	return flags, source[end:], nil
}
