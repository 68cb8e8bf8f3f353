package transcript

import (
	"errors"
	"os"
	"strings"
	"time"
)

// Record runs a transcript on a real server and returns its text with the
// replies that came: existing "<" lines are rewritten, missing ones added. Of
// commands that stand together, replies follow each command unless the file has
// as many together, too. Parts that the server is too old for stay as they are.
func (f *File) Record(t Target) (string, error) {
	rec := &recorder{runner: runner{f: f, t: t}}
	if err := rec.run(rec.step); err != nil {
		return "", err
	}
	rec.copyTo(len(f.lines))
	return strings.Join(rec.out, "\n") + "\n", nil
}

type recorder struct {
	runner
	out  []string
	line int // the next line to copy
	due  int // replies that commands sent together still wait for
	i    int // number of the step
}

// copyTo copies the file's lines up to the given one.
func (r *recorder) copyTo(line int) {
	r.out = append(r.out, r.f.lines[r.line:line]...)
	r.line = line
}

func (r *recorder) step(s *step) error {
	r.i++
	if s.kind == since || r.skip {
		return r.runner.step(s)
	}
	if s.kind == want {
		r.copyTo(s.line)
		r.line++ // replaced
		r.due = max(r.due-1, 0)
		r.next = expectation{}
		return r.reply()
	}
	if err := r.settle(s); err != nil {
		return err
	}
	r.copyTo(s.line + 1)
	if err := r.act(s); err != nil {
		return err
	}
	switch after := r.after(); {
	case s.kind == send && after == waits:
	case after == closed && (s.kind == send || s.kind == sendRaw):
		return r.lastReplies()
	case s.kind == send && r.repliesFollow():
		r.due++
	case s.kind == send:
		return r.reply()
	case s.kind == sendRaw && after != want && after != waits:
		return r.allReplies()
	}
	return nil
}

// settle reads the replies still due before a step that is not about them.
func (r *recorder) settle(s *step) error {
	switch {
	case s.kind == unordered, s.kind == margin, s.kind == matches:
		return nil
	case s.kind == send && r.f.steps[max(r.i-2, 0)].kind == send:
		return nil
	}
	for ; r.due > 0; r.due-- {
		if err := r.reply(); err != nil {
			return err
		}
	}
	return nil
}

// after is the kind of the next step that is not about how replies compare.
func (r *recorder) after() kind {
	for _, s := range r.f.steps[r.i:] {
		if s.kind != unordered && s.kind != margin && s.kind != matches {
			return s.kind
		}
	}
	return switchConn
}

// repliesFollow says whether the command's reply stands below the commands that
// follow it: when the replies there are enough for them and for it.
func (r *recorder) repliesFollow() bool {
	commands, replies := 1, 0
	for _, s := range r.f.steps[r.i:] {
		switch {
		case s.kind == send && replies == 0:
			commands++
		case s.kind == want:
			replies++
		case s.kind != unordered && s.kind != margin && s.kind != matches:
			return replies >= commands
		}
	}
	return replies >= commands
}

// reply reads a reply and writes its line.
func (r *recorder) reply() error {
	v, err := r.receive()
	if err != nil {
		return err
	}
	r.out = append(r.out, "< "+v.String())
	return nil
}

// lastReplies writes down what comes before the connection is closed.
func (r *recorder) lastReplies() error {
	c, err := r.conn()
	if err != nil {
		return err
	}
	for {
		c.within(patience)
		if _, err := c.r.Peek(1); err != nil {
			return nil // the next step judges
		}
		if err := r.reply(); err != nil {
			return err
		}
	}
}

// allReplies writes down what raw bytes bring about, to the connection's end.
func (r *recorder) allReplies() error {
	c, err := r.conn()
	if err != nil {
		return err
	}
	for {
		c.within(200 * time.Millisecond)
		switch _, err := c.r.Peek(1); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			r.out = append(r.out, "@ closed")
			delete(r.conns, r.name)
			return c.Close()
		}
		if err := r.reply(); err != nil {
			return err
		}
	}
}
