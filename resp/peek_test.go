package resp

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// What Peek tells of is what Next then returns, for any beginning of a stream
// that has come; and it takes nothing.
func TestPeekIsWhatNextReturns(t *testing.T) {
	stream := "*2\r\n$3\r\nGET\r\n$2\r\nk1\r\n*3\r\n$3\r\nSET\r\n$0\r\n\r\n$3\r\na\r\n\r\n*1\r\n$4\r\nPING\r\n" +
		"*2\r\n$3\r\nGET\r\n$2\r\nk2\r\nGET inline\r\n*2\r\n$3\r\nGET\r\n$2\r\nk3\r\n"
	for end := range len(stream) + 1 {
		for n := range 6 {
			p := Parser{Limits: DefaultLimits}
			p.Wrote(copy(p.Buffer(make([]byte, 512)), stream[:end]))
			peeked := fmt.Sprintf("%q", p.Peek(nil, n))
			var want [][]byte
			for range n {
				argv, err := p.Next()
				require.NoError(t, err)
				if argv == nil || string(argv[0]) == "GET" && string(argv[1]) == "inline" {
					break
				}
				if len(argv) > 1 {
					want = append(want, argv[1])
				}
			}
			require.Equal(t, fmt.Sprintf("%q", want), peeked, "%d of %q", n, stream[:end])
		}
	}
}

func TestPeekAtOddBytes(t *testing.T) {
	for _, odd := range []string{
		"*", "*\r\n", "*-1\r\n", "*0\r\n*2\r\n", "*99999999\r\n$1\r\na\r\n", "*2\r\n$-1\r\n", "*2\r\n$3\r\nGET\r\n$99999999\r\n",
		"*2\r\n:1\r\n", "*2x\r\n$3\r\nGET\r\n$1\r\nk\r\n", "\r\n\r\n", "*9999999\r\n$3\r\nGET\r\n", "*2\r$3\r\nGET\r\n",
	} {
		p := Parser{Limits: DefaultLimits}
		p.Wrote(copy(p.Buffer(make([]byte, 512)), odd))
		require.Empty(t, p.Peek(nil, 8), "%q", odd)
	}
	var none Parser
	require.Empty(t, none.Peek(nil, 8))
}
