package resp

import (
	"strings"
	"testing"
)

// smallLimits let a fuzzer reach every limit.
var smallLimits = Limits{MaxBulk: 1 << 16, MaxInline: 100, MaxArgs: 50, MaxBuffer: 1 << 20}

func addCases(f *testing.F) {
	for _, c := range parserCases {
		if len(c.in) < 1000 {
			f.Add([]byte(c.in), uint16(1))
		}
	}
	f.Add([]byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$40000\r\n"+strings.Repeat("v", 40000)+"\r\nPING\r\n"), uint16(1000))
}

// FuzzParserPieces: however the bytes are cut, and however large the scratch
// is, the same commands and the same error come out.
func FuzzParserPieces(f *testing.F) {
	addCases(f)
	f.Fuzz(func(t *testing.T, in []byte, cut uint16) {
		if len(in) > 1<<16 {
			return
		}
		whole := feed(smallLimits, in, len(in)+1, len(in)+1)
		for _, piece := range []int{1 + int(cut)%len1(in), 1 + int(cut)%7} {
			for _, scratch := range []int{1 + int(cut)%97, 4 << 10, 128 << 10} {
				got := feed(smallLimits, in, piece, scratch)
				if got.err != whole.err || len(got.cmds) != len(whole.cmds) {
					t.Fatalf("pieces of %d, scratch %d: %q, whole %q", piece, scratch, got, whole)
				}
				for i := range got.cmds {
					if strings.Join(got.cmds[i], "\x00|") != strings.Join(whole.cmds[i], "\x00|") {
						t.Fatalf("pieces of %d, scratch %d: %q, whole %q", piece, scratch, got.cmds[i], whole.cmds[i])
					}
				}
			}
		}
	})
}

func len1(b []byte) int { return max(len(b), 1) }

// FuzzParserMemory: a parser holds no more than a small multiple of the bytes
// that came, plus what it believes at once, and nothing when nothing waits.
func FuzzParserMemory(f *testing.F) {
	addCases(f)
	limits := DefaultLimits
	f.Fuzz(func(t *testing.T, in []byte, cut uint16) {
		p := &Parser{Limits: limits}
		scratch := make([]byte, 4<<10)
		for rest, came := in, 0; len(rest) > 0; {
			b := p.Buffer(scratch)
			n := copy(b[:min(1+int(cut), len(b))], rest)
			rest, came = rest[n:], came+n
			p.Wrote(n)
			for {
				argv, err := p.Next()
				if err != nil {
					return
				}
				if argv == nil {
					break
				}
				for _, a := range argv {
					if cap(a) != len(a) {
						t.Fatalf("argument %q can be appended to in place", a)
					}
				}
			}
			p.Release()
			if most := trusted + bigBulk + 16*came; p.Cap() > most {
				t.Fatalf("%d bytes held of %d received", p.Cap(), came)
			}
			if p.Buffered() == 0 && p.Cap() != 0 {
				t.Fatalf("%d bytes held while nothing waits", p.Cap())
			}
		}
	})
}

func BenchmarkParser(b *testing.B) {
	set := "*5\r\n$3\r\nSET\r\n$38\r\nmyapp:" + strings.Repeat("s", 32) + "\r\n$300\r\n" +
		strings.Repeat("v", 300) + "\r\n$2\r\nPX\r\n$6\r\n900000\r\n"
	for name, in := range map[string]string{
		"depth=1":  set,
		"depth=16": strings.Repeat(set, 16),
		"inline":   "PING\r\n",
		"64KiB":    "*2\r\n$4\r\nECHO\r\n$65536\r\n" + strings.Repeat("v", 65536) + "\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			p := &Parser{Limits: DefaultLimits}
			scratch := make([]byte, 16<<10)
			for b.Loop() {
				for rest := in; len(rest) > 0; {
					n := copy(p.Buffer(scratch), rest)
					rest = rest[n:]
					p.Wrote(n)
					for {
						argv, err := p.Next()
						if err != nil {
							b.Fatal(err)
						}
						if argv == nil {
							break
						}
					}
					p.Release()
				}
			}
		})
	}
}

func TestParserDoesNotAllocate(t *testing.T) {
	in := strings.Repeat("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300\r\n"+strings.Repeat("v", 300)+"\r\nPING \"a b\"\r\n", 100)
	p := &Parser{Limits: DefaultLimits}
	scratch := make([]byte, 1000)
	allocs := testing.AllocsPerRun(100, func() {
		for rest := in; len(rest) > 0; {
			n := copy(p.Buffer(scratch), rest)
			rest = rest[n:]
			p.Wrote(n)
			for argv, _ := p.Next(); argv != nil; argv, _ = p.Next() {
				if len(argv) < 2 {
					panic("short command")
				}
			}
			p.Release()
		}
	})
	if !raceEnabled {
		requireZero(t, allocs)
	}
}

func requireZero(t *testing.T, n float64) {
	t.Helper()
	if n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
