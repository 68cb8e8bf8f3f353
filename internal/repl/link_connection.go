package repl

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"coatcheck/resp"
)

// connection is one to a master. Its writing side may be used by two goroutines.
type connection struct {
	link    *Link
	conn    net.Conn
	in      *bufio.Reader
	timeout time.Duration
	mu      sync.Mutex // of writes
}

// maxLine is the longest line that a master may answer with.
const maxLine = 16 << 10

const (
	streamBuf = 64 << 10
	// idSize is how long the name of a stream is.
	idSize = 40
)

func (l *Link) dial(ctx context.Context, set Settings) (*connection, error) {
	d := &net.Dialer{Timeout: set.Timeout}
	if set.From != "" {
		ip := net.ParseIP(set.From)
		if ip == nil {
			return nil, fmt.Errorf("bind-source-addr %q is no address", set.From)
		}
		d.LocalAddr = &net.TCPAddr{IP: ip}
	}
	var conn net.Conn
	var err error
	if set.TLS == nil {
		conn, err = d.DialContext(ctx, "tcp", set.Addr)
	} else {
		conn, err = (&tls.Dialer{NetDialer: d, Config: set.TLS}).DialContext(ctx, "tcp", set.Addr)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the master: %w", err)
	}
	c := &connection{link: l, conn: conn, timeout: set.Timeout}
	c.in = bufio.NewReaderSize(c, streamBuf)
	return c, nil
}

// Read implements io.Reader below the buffer: it waits no longer than the timeout.
func (c *connection) Read(b []byte) (int, error) {
	c.conn.SetReadDeadline(c.link.clock.Now().Add(c.timeout))
	n, err := c.conn.Read(b)
	if n > 0 {
		c.link.heard.Store(c.link.clock.Now().UnixMilli())
	}
	return n, err
}

func (c *connection) write(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn.SetWriteDeadline(c.link.clock.Now().Add(c.timeout))
	if _, err := c.conn.Write(b); err != nil {
		return fmt.Errorf("write to the master: %w", err)
	}
	return nil
}

// ack tells the master how much of the stream has been applied.
func (c *connection) ack(offset int64) error {
	return c.write(resp.AppendCommand(nil, "REPLCONF", "ACK", strconv.FormatInt(offset, 10)))
}

// line reads a line without its end, passing over empty ones: a master that is busy
// sends them to show that it is there.
func (c *connection) line() (string, error) {
	for {
		b, err := c.in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull) || len(b) > maxLine:
			return "", broken("a line too long")
		case err != nil:
			return "", fmt.Errorf("read from the master: %w", err)
		}
		if line := strings.TrimRight(string(b), "\r\n"); line != "" {
			return line, nil
		}
	}
}

// ask sends a command and returns the line of its reply.
func (c *connection) ask(words ...string) (string, error) {
	if err := c.write(resp.AppendCommand(nil, words...)); err != nil {
		return "", err
	}
	return c.line()
}

// introduce says hello, who we are and what we understand.
func (c *connection) introduce(set Settings) error {
	reply, err := c.ask("PING")
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(reply, "+"), isDenied(reply):
	default:
		return fmt.Errorf("the master answers PING with %s", shown(reply))
	}
	if set.Password != "" {
		words := []string{"AUTH", set.Password}
		if set.User != "" {
			words = []string{"AUTH", set.User, set.Password}
		}
		if reply, err = c.ask(words...); err != nil {
			return err
		}
		if reply[0] != '+' {
			return fmt.Errorf("the master does not let us in: %s", shown(reply))
		}
	}
	about := [][]string{{"REPLCONF", "capa", "eof", "capa", "psync2"}}
	if set.ListenPort > 0 {
		about = append(about, []string{"REPLCONF", "listening-port", strconv.Itoa(set.ListenPort)})
	}
	if set.ListenIP != "" {
		about = append(about, []string{"REPLCONF", "ip-address", set.ListenIP})
	}
	for _, words := range about {
		if reply, err = c.ask(words...); err != nil {
			return err
		}
		if reply[0] != '+' { // an old master may know less; it still sends its data
			c.link.log.Debug("the master does not understand", "option", words[1], "reply", shown(reply))
		}
	}
	return nil
}

// isDenied says whether an error to PING only means that there is more to be said.
func isDenied(reply string) bool {
	return strings.HasPrefix(reply, "-NOAUTH") || strings.HasPrefix(reply, "-NOPERM") || strings.HasPrefix(reply, "-ERR operation not permitted")
}

// psync asks the master to go on at a position. It returns the position at which it
// does, or that of the snapshot which it will send.
func (c *connection) psync(have Position) (at Position, full bool, err error) {
	id, from := "?", int64(-1)
	if have.ID != "" {
		id, from = have.ID, have.Offset+1
	}
	reply, err := c.ask("PSYNC", id, strconv.FormatInt(from, 10))
	if err != nil {
		return at, false, err
	}
	words := strings.Fields(reply)
	switch {
	case len(words) == 3 && words[0] == "+FULLRESYNC":
		at.ID = words[1]
		at.Offset, err = strconv.ParseInt(words[2], 10, 64)
		if err != nil || at.Offset < 0 || !isID(at.ID) {
			return at, false, broken("it answers PSYNC with %s", shown(reply))
		}
		return at, true, nil
	case len(words) > 0 && words[0] == "+CONTINUE":
		at = have
		if len(words) > 1 {
			at.ID = words[1]
		}
		if have.ID == "" || len(words) > 2 || !isID(at.ID) {
			return at, false, broken("it answers PSYNC with %s", shown(reply))
		}
		return at, false, nil
	}
	return at, false, fmt.Errorf("the master does not send its data: %s", shown(reply))
}

// isID says whether s may name a stream.
func isID(s string) bool {
	return len(s) == idSize && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// shown is the beginning of what a master said, for logs.
func shown(s string) string { return strconv.Quote(s[:min(len(s), 200)]) }
