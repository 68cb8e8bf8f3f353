package command

import (
	"coatcheck/engine"
	"coatcheck/resp"
)

// A reply of elements by chance, which a client may want more of than any memory has,
// goes out in parts of so many, or of so many bytes.
const (
	sampleSlice = 1000
	sampleBytes = 128 << 10
)

// sampling is such a reply, of a value as it was.
type sampling struct {
	left  int64
	begun bool
	begin func(out *resp.Reply, n int)
	next  func(out *resp.Reply) // appends one
}

// reply appends the whole reply, or leaves it for later if it is long.
func (w *sampling) reply(tx *engine.Tx, out *resp.Reply) error {
	if w.left > sampleSlice {
		return &More{Step: w.step}
	}
	for done := false; !done; {
		done, _ = w.step(tx, out)
	}
	return nil
}

func (w *sampling) step(_ *engine.Tx, out *resp.Reply) (done bool, err error) {
	start := out.Len()
	if !w.begun {
		w.begin(out, int(w.left))
		w.begun = true
	}
	for i := 0; i < sampleSlice && w.left > 0 && out.Len()-start < sampleBytes; i++ {
		w.next(out)
		w.left--
	}
	return w.left == 0, nil
}
