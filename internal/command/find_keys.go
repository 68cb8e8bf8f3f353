package command

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"coatcheck/resp"
)

// Where the keys of a call stand. As in Redis (db.c, getKeysFromCommandWithSpecs)
// the key specs are followed first; where one leads nowhere, KeysOf is asked for
// all of them.

// KeyRef is a key of a particular call: its place in argv and what the command
// does with it.
type KeyRef struct {
	Pos   int
	Flags KeyFlags
}

// ErrNoKeys and ErrArgs are why a call has no keys to tell.
var (
	ErrNoKeys = errors.New("the command has no key arguments")
	ErrArgs   = errors.New("the arguments do not fit the key specs")
)

// HasKeys says whether calls of the command may name keys.
func (s *Spec) HasKeys() bool {
	return len(s.Searches) > 0 || s.KeysOf != nil ||
		slices.ContainsFunc(s.Keys, func(k KeySpec) bool { return k.Flags&NotKey == 0 })
}

// FindKeys returns where the keys of a call stand, in argv's order by spec. It
// is safe for any argv, also of a wrong arity.
func (s *Spec) FindKeys(in Args) ([]KeyRef, error) {
	if !s.HasKeys() {
		return nil, ErrNoKeys
	}
	refs := s.AppendKeys(nil, in)
	if len(refs) == 0 && s.Flags&NoMandatoryKeys == 0 {
		return nil, ErrArgs
	}
	return refs, nil
}

// AppendKeys appends what FindKeys finds to refs; nothing where that fails.
func (s *Spec) AppendKeys(refs []KeyRef, in Args) []KeyRef {
	start := len(refs)
	refs, ok := s.followSpecs(refs, in)
	switch {
	case ok:
		return refs
	case s.KeysOf != nil:
		return append(refs[:start], s.KeysOf(in)...)
	default:
		return s.appendByPrefix(refs[:start], in)
	}
}

// AppendTouched appends the keys that AppendKeys finds and, behind them, those that
// only KeysOf does: GEORADIUS takes the last of several STORE, a key spec the
// first. What is done with the latter is not known: all that can be.
func (s *Spec) AppendTouched(refs []KeyRef, in Args) []KeyRef {
	start := len(refs)
	refs = s.AppendKeys(refs, in)
	if s.KeysOf == nil {
		return refs
	}
	found := refs[start:]
	for _, more := range s.KeysOf(in) {
		if !slices.ContainsFunc(found, func(r KeyRef) bool { return r.Pos == more.Pos }) {
			refs = append(refs, KeyRef{more.Pos, RW | Access | Update})
		}
	}
	return refs
}

// followSpecs says whether every spec led to keys.
func (s *Spec) followSpecs(refs []KeyRef, in Args) ([]KeyRef, bool) {
	for _, k := range s.Keys {
		if k.Flags&NotKey != 0 {
			continue
		}
		flags := k.Flags
		if flags&VariableFlags != 0 && s.KeyFlagsOf != nil {
			flags = s.KeyFlagsOf(in)
		}
		var ok bool
		if refs, ok = appendRange(refs, in, k.First, k.First+k.Last, k.Last, k.Step, flags); !ok {
			return refs, false
		}
	}
	for i := range s.Searches {
		k := &s.Searches[i]
		first, last, ok := k.find(in)
		if first == 0 && ok { // without the word there are no such keys
			continue
		}
		if !ok {
			return refs, false
		}
		if refs, ok = appendRange(refs, in, first, last, 0, 1, k.Flags); !ok || k.Flags&Incomplete != 0 {
			return refs, false
		}
	}
	return refs, true
}

// appendRange appends the keys from first to last, which fromEnd, when negative,
// is the place of counted from the end.
func appendRange(refs []KeyRef, in Args, first, last, fromEnd, step int, flags KeyFlags) ([]KeyRef, bool) {
	if fromEnd < 0 {
		last = len(in) + fromEnd
	}
	if first < 1 || step < 1 || last < first || last >= len(in) {
		return refs, false
	}
	for pos := first; pos <= last; pos += step {
		refs = append(refs, KeyRef{pos, flags})
	}
	return refs, true
}

// isUnknown says whether nobody can follow the search.
func (k *KeySearch) isUnknown() bool { return k.Begin == 0 && k.Word == "" }

// find returns the places of the first and the last key: 0 without the search's
// word; last is before first when a count says that there are none.
func (k *KeySearch) find(in Args) (first, last int, ok bool) {
	switch {
	case k.isUnknown():
		return 0, 0, false
	case k.Word == "":
		first = k.Begin
	default:
		if first = k.behindWord(in); first == 0 {
			return 0, 0, true
		}
	}
	switch {
	case k.Counted:
		if first >= len(in) {
			return 0, 0, false
		}
		n, isNumber := resp.ParseInt(in[first])
		if !isNumber {
			return 0, 0, false
		}
		return first + 1, first + int(int32(n)), true // as Redis cuts it
	case k.Last >= 0:
		return first, first + k.Last, true
	case k.Limit == 0:
		return first, len(in) + k.Last, true
	}
	return first, first + (len(in)-first)/k.Limit + k.Last, true
}

// behindWord is the place behind the search's word, 0 without the word.
func (k *KeySearch) behindWord(in Args) int {
	if k.Begin < 0 {
		for i := len(in) + k.Begin; i > 1; i-- {
			if strings.EqualFold(string(in[i]), k.Word) {
				return i + 1
			}
		}
		return 0
	}
	for i := k.Begin; i < len(in)-1; i++ { // the last argument has nothing behind it
		if strings.EqualFold(string(in[i]), k.Word) {
			return i + 1
		}
	}
	return 0
}

// appendByPrefix is for a count such as "2x", which Redis then reads as 2, without
// knowing what is done with the keys; the command itself refuses it.
func (s *Spec) appendByPrefix(refs []KeyRef, in Args) []KeyRef {
	if len(s.Searches) != 1 || !s.Searches[0].Counted || s.Searches[0].Begin >= len(in) {
		return refs
	}
	at := s.Searches[0].Begin
	n := leadingInt(in[at])
	if n < 1 || n > len(in)-at-1 {
		return refs
	}
	for i := range n {
		refs = append(refs, KeyRef{Pos: at + 1 + i})
	}
	for _, k := range s.Keys {
		refs = append(refs, KeyRef{Pos: k.First})
	}
	return refs
}

// leadingInt reads the number that word begins with, as C's atoi does: 0 without
// one, and cut to 32 bits.
func leadingInt(word []byte) int {
	digits := bytes.TrimLeft(word, " \t\n\v\f\r")
	if len(digits) > 0 && digits[0] == '+' {
		digits = digits[1:]
	}
	end := 0
	for end < len(digits) && '0' <= digits[end] && digits[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(string(digits[:end]), 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		n = math.MaxInt64
	}
	return int(int32(n))
}

// sortKeys finds the keys that SORT names: what is sorted, and where the last
// STORE puts it. Keys that BY and GET reach depend on values.
func sortKeys(in Args) []KeyRef {
	if len(in) < 2 {
		return nil
	}
	refs := []KeyRef{{1, RO | Access}}
	for i := 2; i < len(in); i++ {
		switch strings.ToUpper(string(in[i])) {
		case "LIMIT":
			i += 2
		case "GET", "BY":
			i++
		case "STORE":
			if i+1 < len(in) {
				refs = append(refs[:1], KeyRef{i + 1, OW | Update})
			}
		}
	}
	return refs
}

// sortROKeys finds the key that SORT_RO names.
func sortROKeys(in Args) []KeyRef {
	if len(in) < 2 {
		return nil
	}
	return []KeyRef{{1, RO | Access}}
}

// geoRadiusKeys finds the keys of GEORADIUS and GEORADIUSBYMEMBER: of several
// STORE and STOREDIST the last counts.
func geoRadiusKeys(in Args) []KeyRef {
	if len(in) < 2 {
		return nil
	}
	refs := []KeyRef{{1, 0}}
	for i := 5; i+1 < len(in); i++ {
		if strings.EqualFold(string(in[i]), "STORE") || strings.EqualFold(string(in[i]), "STOREDIST") {
			refs = append(refs[:1], KeyRef{i + 1, 0})
			i++
		}
	}
	return refs
}

// MigrateKeys finds the keys of MIGRATE: its third argument or, when that is
// empty, what follows KEYS.
func MigrateKeys(in Args) []KeyRef {
	if len(in) < 4 {
		return nil
	}
	const flags = RW | Access | Delete
	refs := []KeyRef{{3, flags}}
	for i := 6; i < len(in); i++ {
		switch strings.ToUpper(string(in[i])) {
		case "AUTH":
			i++
		case "AUTH2":
			i += 2
		case "KEYS":
			if len(in[3]) > 0 {
				return nil
			}
			refs = refs[:0]
			for pos := i + 1; pos < len(in); pos++ {
				refs = append(refs, KeyRef{pos, flags})
			}
			return refs
		}
	}
	return refs
}
