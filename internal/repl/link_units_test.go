package repl

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/resp"
)

// told is units as text, with all bytes they came in.
func told(t *testing.T, in string, piece int) (units []string, raw string, err error) {
	s := newUnitReader(0, 0)
	for len(in) > 0 && err == nil {
		buf := s.buffer()
		n := copy(buf[:min(piece, len(buf))], in)
		in = in[n:]
		_, err = s.wrote(buf, n, func(us []Unit) error {
			for _, u := range us {
				text := ""
				for _, st := range u.Steps {
					text += fmt.Sprintf("%d:%s ", st.DB, st.Argv)
				}
				units = append(units, fmt.Sprintf("%s→%d", text, u.DB))
				raw += string(u.Raw)
			}
			return nil
		})
	}
	return units, raw, err
}

// However the bytes come, the units are the same, and their bytes are all of them.
func TestStreamInAnyPieces(t *testing.T) {
	var b []byte
	b = resp.AppendCommand(b, "SELECT", "2")
	b = resp.AppendCommand(b, "set", "k", strings.Repeat("v", 70_000))
	b = resp.AppendCommand(b, "PING")
	b = resp.AppendCommand(b, "MULTI")
	b = resp.AppendCommand(b, "SET", "a", "1")
	b = resp.AppendCommand(b, "SELECT", "3")
	b = resp.AppendCommand(b, "SET", "b", strings.Repeat("w", 200_000))
	b = resp.AppendCommand(b, "EXEC")
	b = append(b, "\r\n"...)
	b = resp.AppendCommand(b, "REPLCONF", "GETACK", "*")
	b = resp.AppendCommand(b, "DEL", "a")
	want, raw, err := told(t, string(b), 1<<20)
	require.NoError(t, err)
	require.Equal(t, string(b), raw)
	require.Len(t, want, 6)
	require.Equal(t, "→2", want[0])
	require.Equal(t, "3:[DEL a] →3", want[5])
	require.Contains(t, want[3], "2:[SET a 1] 3:[SET b www")
	for _, piece := range []int{1, 2, 3, 7, 100, 4096, 65536} {
		got, raw, err := told(t, string(b), piece)
		require.NoError(t, err)
		require.Equal(t, want, got, piece)
		require.Equal(t, string(b), raw, piece)
	}
}

// FuzzStream: nothing panics, and what is handed on is a beginning of what came.
func FuzzStream(f *testing.F) {
	f.Add("*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*1\r\n$4\r\nEXEC\r\n", 3)
	f.Add("*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n*1\r\n$4\r\nPING\r\n", 5)
	f.Fuzz(func(t *testing.T, in string, piece int) {
		_, raw, _ := told(t, in, max(piece, 1))
		require.True(t, strings.HasPrefix(in, raw))
	})
}

// A snapshot behind which nothing is known but its mark ends there, in any pieces.
func TestMarkedSnapshotInAnyPieces(t *testing.T) {
	mark := strings.Repeat("ab", 20)
	for _, text := range []string{"", "x", "ab", mark[:39], strings.Repeat("a", 100), strings.Repeat("ab", 19) + "xyz", strings.Repeat("xy", 50_000)} {
		for _, piece := range []int{1, 7, 39, 40, 41, 4096, 1 << 20} {
			s := &Snapshot{Size: -1, mark: []byte(mark), from: &pieces{text + "!" + mark, piece}}
			got, err := io.ReadAll(s)
			require.NoError(t, err)
			require.Equal(t, text+"!", string(got))
			require.NoError(t, s.ended())
			s = &Snapshot{Size: -1, mark: []byte(mark), from: &pieces{text + "!" + mark[:39], piece}}
			_, err = io.ReadAll(s)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
	}
}

// pieces is a reader of n bytes at a time.
type pieces struct {
	left string
	n    int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.left == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.n)], p.left)
	p.left = p.left[n:]
	return n, nil
}
