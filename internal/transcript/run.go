package transcript

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"coatcheck/resp"
)

// Target is a Redis to talk to.
type Target struct {
	// Dial opens a connection. It must have read deadlines.
	Dial func() (net.Conn, error)
	// Advance moves the server's clock. Nil: time passes by itself.
	Advance func(time.Duration)
	// Version is a real server's, for "@ since"; empty skips nothing.
	Version string
	// Piece is how many bytes are written at a time; 0: as many as there are. In
	// the middle of long commands it is more, to be done some day.
	Piece int
}

const (
	patience = 20 * time.Second      // for a reply that must come
	quiet    = 25 * time.Millisecond // for one that must not
)

// Replay runs a transcript. The error names the line whose reply was another.
// Keys are flushed before; configuration is put back after.
func (f *File) Replay(t Target) error {
	r := &runner{f: f, t: t}
	return r.run(r.step)
}

type runner struct {
	f       *File
	t       Target
	conns   map[string]*conn
	name    string // of the connection spoken to
	control *conn
	restore [][2]string
	vars    map[string]string
	last    resp.Value
	next    expectation
	skip    bool
	sent    string // the last command, for errors
}

type conn struct {
	net.Conn
	r   *bufio.Reader
	dec *resp.Decoder
}

// run calls do with every step, between set-up and clean-up.
func (r *runner) run(do func(s *step) error) (err error) {
	r.conns, r.vars, r.name = map[string]*conn{}, map[string]string{}, "main"
	if r.control, err = r.dial(); err != nil {
		return fmt.Errorf("%s: %w", r.f.Name, err)
	}
	defer r.control.Close()
	if _, err := r.ask("FLUSHALL"); err != nil {
		return fmt.Errorf("%s: %w", r.f.Name, err)
	}
	defer func() {
		for _, c := range r.conns {
			c.Close()
		}
		err = errors.Join(err, r.putBack())
	}()
	for i := range r.f.steps {
		s := &r.f.steps[i]
		if err := do(s); err != nil {
			return fmt.Errorf("%s:%d: %w", r.f.Name, s.line+1, err)
		}
	}
	for name, c := range r.conns {
		if err := c.nothingMore(); err != nil {
			return fmt.Errorf("%s: at the end, conn %s: %w", r.f.Name, name, err)
		}
	}
	return nil
}

func (r *runner) putBack() error {
	for i := len(r.restore) - 1; i >= 0; i-- {
		if _, err := r.ask("CONFIG", "SET", r.restore[i][0], r.restore[i][1]); err != nil {
			return err
		}
	}
	return nil
}

// ask sends a command on the runner's own connection.
func (r *runner) ask(args ...string) (resp.Value, error) {
	if err := r.control.write(resp.AppendCommand(nil, args...), 0); err != nil {
		return resp.Value{}, err
	}
	v, err := r.control.read()
	if err == nil && v.IsError() {
		err = fmt.Errorf("%s: %s", strings.Join(args, " "), v.Text)
	}
	return v, err
}

func (r *runner) dial() (*conn, error) {
	nc, err := r.t.Dial()
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	br := bufio.NewReaderSize(nc, 64<<10)
	return &conn{nc, br, resp.NewDecoder(br)}, nil // NewDecoder takes br as it is
}

// conn is the connection spoken to, opened when it is first needed.
func (r *runner) conn() (*conn, error) {
	if c := r.conns[r.name]; c != nil {
		return c, nil
	}
	c, err := r.dial()
	if err == nil {
		r.conns[r.name] = c
	}
	return c, err
}

// step does one step of a replay.
func (r *runner) step(s *step) error {
	if s.kind == since {
		r.skip = r.t.Version != "" && s.args[0] != "any" && olderThan(r.t.Version, s.args[0])
		return nil
	}
	if r.skip {
		return nil
	}
	if s.kind != want {
		return r.act(s)
	}
	got, err := r.receive()
	if err != nil {
		return fmt.Errorf("> %.200s: no reply, expected %s: %w", r.sent, s.reply, err)
	}
	e := r.next
	r.next = expectation{}
	if !e.met(s.reply, got) {
		return fmt.Errorf("> %.200s\n got %s\nwant %s", r.sent, got, s.reply)
	}
	return nil
}

func (r *runner) receive() (resp.Value, error) {
	c, err := r.conn()
	if err != nil {
		return resp.Value{}, err
	}
	r.last, err = c.read()
	return r.last, err
}

// act does what needs no reply compared.
func (r *runner) act(s *step) error {
	switch s.kind {
	case send:
		args := make([]string, len(s.args))
		for i, a := range s.args {
			args[i] = r.expand(a)
		}
		r.sent = strings.Join(args, " ")
		return r.write(resp.AppendCommand(nil, args...))
	case sendRaw:
		r.sent = strings.Join(s.args, "")
		return r.write([]byte(r.sent))
	case switchConn:
		r.name = s.args[0]
	case advance:
		r.pass(s.wait)
	case unordered:
		r.next.unordered = true
	case margin:
		r.next.margin = s.n
	case matches:
		r.next.re = s.re
	case setConfig:
		return r.configure(s.args[0], s.args[1])
	case saveReply:
		return r.save(s)
	case waits, closed, proto:
		return r.actOnConn(s)
	}
	return nil
}

func (r *runner) actOnConn(s *step) error {
	c, err := r.conn()
	if err != nil {
		return err
	}
	switch s.kind {
	case waits:
		return c.waits()
	case closed:
		delete(r.conns, r.name)
		defer c.Close()
		return c.closed()
	}
	if err := c.write(resp.AppendCommand(nil, "HELLO", fmt.Sprint(s.n)), 0); err != nil {
		return err
	}
	v, err := c.read()
	if err == nil && v.IsError() {
		err = errors.New(v.Text)
	}
	return err
}

func (r *runner) write(b []byte) error {
	c, err := r.conn()
	if err != nil {
		return err
	}
	return c.write(b, r.t.Piece)
}

func (r *runner) pass(d time.Duration) {
	if r.t.Advance != nil {
		r.t.Advance(d)
	} else {
		time.Sleep(d)
	}
}

func (r *runner) configure(name, value string) error {
	old, err := r.ask("CONFIG", "GET", name)
	if err != nil {
		return err
	}
	if len(old.Elems) != 2 {
		return fmt.Errorf("no parameter %s", name)
	}
	r.restore = append(r.restore, [2]string{name, old.Elems[1].Text})
	_, err = r.ask("CONFIG", "SET", name, r.expand(value))
	return err
}

func (r *runner) save(s *step) error {
	v := r.last
	if s.n >= 0 {
		if s.n >= int64(len(v.Elems)) {
			return fmt.Errorf("no element %d in %s", s.n, v)
		}
		v = v.Elems[s.n]
	}
	r.vars[s.args[0]] = v.Text
	return nil
}

// expand puts saved replies in: ${name}.
func (r *runner) expand(s string) string {
	if !strings.Contains(s, "${") {
		return s
	}
	for name, value := range r.vars {
		s = strings.ReplaceAll(s, "${"+name+"}", value)
	}
	return s
}

func (c *conn) write(b []byte, piece int) error {
	for written := 0; len(b) > 0; {
		n := piece
		switch {
		case piece == 0:
			n = len(b)
		case written > 1000 && len(b) > 2000:
			n = 1001
		}
		n, err := c.Write(b[:min(n, len(b))])
		written += n
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.ErrClosedPipe) {
			return nil // closed in the middle: what was answered tells whether rightly
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		b = b[n:]
	}
	return nil
}

// within sets the deadline of the next reads.
func (c *conn) within(d time.Duration) {
	c.SetReadDeadline(time.Now().Add(d))
}

func (c *conn) read() (resp.Value, error) {
	c.within(patience)
	return c.dec.Decode()
}

// waits fails when there is a reply, or the connection is closed.
func (c *conn) waits() error {
	c.within(quiet)
	_, err := c.r.Peek(1)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("expected to wait: %w", err)
	}
	return c.unexpected("wait")
}

// unexpected tells of the reply that is there.
func (c *conn) unexpected(expected string) error {
	v, err := c.read()
	return errors.Join(fmt.Errorf("expected to %s, got %s", expected, v), err)
}

// closed fails unless the server closes the connection and says nothing more.
func (c *conn) closed() error {
	c.within(patience)
	switch _, err := c.r.Peek(1); {
	case err == nil:
		return c.unexpected("be closed")
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return nil
	default:
		return fmt.Errorf("expected to be closed: %w", err)
	}
}

// nothingMore fails when a reply was not asked for.
func (c *conn) nothingMore() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return c.waits()
	}
	if err := half.CloseWrite(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return c.closed()
}
