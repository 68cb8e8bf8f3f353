package server_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
	"coatcheck/internal/transcript"
)

// Every transcript, on every transport, in whole commands and cut into single
// bytes, gives what a real server answered. Time is a fake clock's.
func TestTranscripts(t *testing.T) {
	const dir = "../../testdata/transcripts"
	files, err := transcript.ReadDir(dir)
	require.NoError(t, err)
	for _, tr := range transports {
		for _, f := range files {
			name, err := filepath.Rel(dir, f.Name)
			require.NoError(t, err)
			t.Run(tr.name+"/"+strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
				clock := enginetest.NewClock(time.Now())
				srv := servertest.Start(t, func(o *server.Options) {
					o.Engine = engine.New(engine.Options{Databases: o.Config.Databases, Clock: clock})
					o.Config.EnableDebugCommand = "yes"
					if tr.change != nil {
						tr.change(o)
					}
				})
				target := transcript.Target{
					Dial:    func() (net.Conn, error) { return tr.dial(t, srv), nil },
					Advance: func(d time.Duration) { advance(clock, srv, d) },
				}
				require.NoError(t, f.Replay(target))
				target.Piece = 1
				require.NoError(t, f.Replay(target), "in pieces")
			})
		}
	}
}
