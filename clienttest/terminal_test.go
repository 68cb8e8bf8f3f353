package clienttest

import (
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// terminal is a program that believes it runs in a terminal, and one who types.
type terminal struct {
	t    *testing.T
	in   io.WriteCloser
	out  *logBuffer
	read int // bytes of out (without escapes) that were expected already
	done chan error
}

// newTerminal runs args in a pseudo terminal of 120 columns until the test ends.
func newTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	// util-linux' script has the pseudo terminal.
	line := "stty cols 120 rows 40; exec " + strings.Join(args, " ")
	cmd := exec.CommandContext(ctx, tool(t, "script"), "-qefc", line, "/dev/null")
	ownGroup(cmd)
	cmd.Env = append(os.Environ(), "TERM=xterm", "REDISCLI_HISTFILE=/dev/null", "REDISCLI_RCFILE=/dev/null")
	tty := &terminal{t: t, out: &logBuffer{}, done: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = tty.out, tty.out
	var err error
	tty.in, err = cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		tty.done <- cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return tty
}

// keys types without return.
func (y *terminal) keys(s string) {
	y.t.Helper()
	_, err := io.WriteString(y.in, s)
	require.NoError(y.t, err)
}

// say types a line and waits for want in the answer.
func (y *terminal) say(line, want string) {
	y.t.Helper()
	y.keys(line + "\r")
	y.expect(want)
}

// expect waits until want shows after all that was expected before.
func (y *terminal) expect(want string) {
	y.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		shown := stripEscapes(y.out.String())
		if at := strings.Index(shown[min(y.read, len(shown)):], want); at >= 0 {
			y.read += at + len(want)
			return
		}
		if time.Now().After(deadline) {
			y.t.Fatalf("%q did not show in %v:\n%q", want, patience, shown)
		}
	}
}

// ended waits until the program has gone, in order.
func (y *terminal) ended() {
	y.t.Helper()
	select {
	case err := <-y.done:
		require.NoError(y.t, err)
	case <-time.After(patience):
		y.t.Fatalf("the program did not end:\n%s", y.out)
	}
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// stripEscapes removes a terminal's colours and cursor moves.
func stripEscapes(s string) string { return escapes.ReplaceAllString(s, "") }
