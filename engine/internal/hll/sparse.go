package hll

import (
	"fmt"
	"slices"
	"strings"
)

// run reads the run at at: how many registers it has, which value, and how many bytes it
// takes; not ok at the end, and where it is cut.
func run(b []byte, at int) (n int, v byte, size int, ok bool) {
	switch c := b[at]; {
	case c&0x80 != 0:
		return int(c&3) + 1, c>>2&31 + 1, 1, true
	case c&0x40 == 0:
		return int(c&63) + 1, 0, 1, true
	case at+1 < len(b):
		return int(c&63)<<8 + int(b[at+1]) + 1, 0, 2, true
	}
	return 0, 0, 0, false
}

// runs calls visit with the offset, the first register, the number and the value of each
// run until it returns false. It returns how many registers it has passed.
func runs(b []byte, visit func(at, from, n int, v byte) bool) (from int, err error) {
	for at := header; at < len(b); {
		n, v, size, ok := run(b, at)
		if !ok || from+n > registers {
			return from, ErrCorrupt
		}
		if !visit(at, from, n, v) {
			return from, nil
		}
		at += size
		from += n
	}
	return from, nil
}

func appendZeros(b []byte, n int) []byte {
	if n <= shortZeros {
		return append(b, byte(n-1))
	}
	return append(b, 0x40|byte((n-1)>>8), byte(n-1))
}

func appendRun(b []byte, n int, v byte) []byte {
	switch {
	case n == 0:
		return b
	case v == 0:
		return appendZeros(b, n)
	}
	return append(b, 0x80|(v-1)<<2|byte(n-1))
}

// raiseSparse splits the run that a register is in, and joins what then is alike near
// by, as Redis does it, so that the bytes are the same.
func raiseSparse(b []byte, register int, rank byte, most int64) (next []byte, changed bool, err error) {
	at, before := -1, header
	var from, n int
	var old byte
	_, err = runs(b, func(pos, first, count int, v byte) bool {
		if register < first+count {
			at, from, n, old = pos, first, count, v
			return false
		}
		before = pos
		return true
	})
	if err != nil || at < 0 {
		return b, false, ErrCorrupt
	}
	if old >= rank {
		return b, false, nil
	}
	if rank > maxSparse {
		return promote(b, register, rank)
	}
	var seq [6]byte
	row := appendRun(seq[:0], register-from, old)
	row = appendRun(row, 1, rank)
	row = appendRun(row, from+n-1-register, old)
	_, _, size, _ := run(b, at)
	if more := len(row) - size; more > 0 && int64(len(b)+more) > most {
		return promote(b, register, rank)
	}
	b = slices.Replace(b, at, at+size, row...)
	return join(b, before), true, nil
}

func promote(b []byte, register int, rank byte) (next []byte, changed bool, err error) {
	if b, err = Dense(b); err != nil {
		return b, false, err
	}
	return Raise(b, register, rank, 0)
}

// join makes one of neighbouring runs of the same value, among the five from at on.
func join(b []byte, at int) []byte {
	for look := 5; look > 0 && at < len(b); look-- {
		n, v, size, ok := run(b, at)
		if !ok {
			break
		}
		if v > 0 && at+1 < len(b) && b[at+1]&0x80 != 0 {
			if m, w, _, _ := run(b, at+1); v == w && n+m <= maxRun {
				b = slices.Delete(b, at, at+1)
				b[at] = appendRun(nil, n+m, v)[0]
				continue
			}
		}
		at += size
	}
	return b
}

// Runs is the runs of a sparse one, as people read them.
func Runs(b []byte) string {
	var words []string
	for at := header; at < len(b); {
		n, v, size, ok := run(b, at)
		switch {
		case !ok:
			return strings.Join(words, " ")
		case v > 0:
			words = append(words, fmt.Sprintf("v:%d,%d", v, n))
		case size == 2:
			words = append(words, fmt.Sprint("Z:", n))
		default:
			words = append(words, fmt.Sprint("z:", n))
		}
		at += size
	}
	return strings.Join(words, " ")
}
