package command

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func argv(line string) Args {
	var in Args
	for _, w := range strings.Fields(line) {
		in = append(in, []byte(w))
	}
	return in
}

func TestFindKeys(t *testing.T) {
	setFlags := func(in Args) KeyFlags {
		if in.HasWord(3, "GET") {
			return RW | Access | Update
		}
		return OW | Update
	}
	get := Spec{Keys: []KeySpec{{1, 0, 1, RO | Access}}}
	mset := Spec{Keys: []KeySpec{{1, -1, 2, OW | Update}}}
	copySpec := Spec{Keys: []KeySpec{{1, 0, 1, RO}, {2, 0, 1, OW}}}
	set := Spec{Keys: []KeySpec{{1, 0, 1, RW | VariableFlags}}, KeyFlagsOf: setFlags}

	for _, c := range []struct {
		spec *Spec
		in   string
		want []KeyRef
		err  error
	}{
		{&Spec{}, "PING", nil, ErrNoKeys},
		{&get, "GET a", []KeyRef{{1, RO | Access}}, nil},
		{&get, "GET", nil, ErrArgs},
		{&get, "", nil, ErrArgs},
		{&mset, "MSET a 1 b 2", []KeyRef{{1, OW | Update}, {3, OW | Update}}, nil},
		{&mset, "MSET a 1 b", []KeyRef{{1, OW | Update}, {3, OW | Update}}, nil},
		{&mset, "MSET", nil, ErrArgs},
		{&copySpec, "COPY a b", []KeyRef{{1, RO}, {2, OW}}, nil},
		{&copySpec, "COPY a", nil, ErrArgs},
		{&set, "SET a b", []KeyRef{{1, OW | Update}}, nil},
		{&set, "SET a b get", []KeyRef{{1, RW | Access | Update}}, nil},
		{&set, "SET a", []KeyRef{{1, OW | Update}}, nil},
	} {
		got, err := c.spec.FindKeys(argv(c.in))
		if !errors.Is(err, c.err) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %v, %v; want %v, %v", c.in, got, err, c.want, c.err)
		}
	}
}

func TestAcceptsArity(t *testing.T) {
	exact, open := Spec{Arity: 2}, Spec{Arity: -2}
	for argc, want := range map[int][2]bool{0: {false, false}, 1: {false, false}, 2: {true, true}, 3: {false, true}} {
		if got := [2]bool{exact.AcceptsArity(argc), open.AcceptsArity(argc)}; got != want {
			t.Errorf("%d arguments: got %v, want %v", argc, got, want)
		}
	}
}
