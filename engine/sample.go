package engine

import "coatcheck/engine/internal/listpack"

// sample is elements as they once were, in rows of the same length, to choose of
// again and again. It keeps copies.
type sample struct {
	rand Rand
	lp   []byte // without an end
	at   []int  // where each row begins
	buf  [2][20]byte
}

func newSample(rand Rand) sample { return sample{rand: rand, lp: listpack.New()[:listpack.HeaderSize]} }

func (s *sample) add(row ...[]byte) {
	s.at = append(s.at, len(s.lp))
	for _, elem := range row {
		s.lp = listpack.Append(s.lp, elem)
	}
}

// next is where a row by chance begins.
func (s *sample) next() int { return s.at[s.rand.IntN(len(s.at))] }

// get is the element at at, good until it is called again for the same column.
func (s *sample) get(at, column int) []byte { return listpack.Get(s.lp, at).Bytes(&s.buf[column]) }
