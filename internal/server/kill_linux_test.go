package server_test

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/server"
)

// A pool looks at a connection before it lends it out: one that was killed must
// look so as soon as the killer has its reply.
func TestKilledConnectionsEndBeforeTheReply(t *testing.T) {
	each(t, nil, func(t *testing.T, _ *server.Server, dial func() *peer) {
		killer := dial()
		for range 100 {
			victim := dial()
			id := victim.id()
			killer.ask(fmt.Sprintf("CLIENT KILL ID %d\r\n", id), ":1\r\n")
			if sc, ok := victim.Conn.(syscall.Conn); ok {
				n, err := peek(t, sc)
				require.NoError(t, err)
				require.Zero(t, n)
			}
			require.Empty(t, victim.expectClosed())
		}
	})
}

// peek looks, without waiting, whether there is something to read: 0 is the end.
func peek(t *testing.T, sc syscall.Conn) (n int, err error) {
	raw, err := sc.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		n, _, err = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	}))
	return n, err
}
