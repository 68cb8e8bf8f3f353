package resp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A transport may go on reading while a client's commands wait: Buffer has room
// every time, also when far more than the argument at hand has come.
func TestBufferHasRoomWhileCommandsWait(t *testing.T) {
	for _, size := range []int{1, 100, 5000, 40000, 3 << 20} {
		cmd := "*2\r\n$4\r\nECHO\r\n" + "$10\r\n0123456789\r\n"
		all := strings.Repeat(cmd, size/len(cmd)+2)
		p := Parser{Limits: DefaultLimits}
		feed := func(text string) {
			for rounds := 0; text != ""; rounds++ {
				require.Less(t, rounds, 1000)
				buf := p.Buffer(make([]byte, 1000))
				require.NotEmpty(t, buf)
				n := copy(buf, text)
				p.Wrote(n)
				p.Release()
				text = text[n:]
			}
		}
		feed(all[:20]) // into the bulk
		argv, err := p.Next()
		require.NoError(t, err)
		require.Nil(t, argv)
		p.Release()
		feed(all[20:])
		for range strings.Count(all, cmd) {
			argv, err := p.Next()
			require.NoError(t, err)
			require.Len(t, argv, 2)
			require.Equal(t, "0123456789", string(argv[1]))
		}
	}
}
