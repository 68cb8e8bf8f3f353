package server

import (
	"bytes"
	"context"
	"errors"
	"math"
	"net"
	"slices"
	"strconv"
	"syscall"
	"time"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/rdb"
	"coatcheck/resp"
)

// migration moves keys to another server off the lock. What it sends is what the keys
// held at one moment; a key is deleted here if it is still the same when the other
// server has it. One that was changed meanwhile is sent again.
type migration struct {
	srv              *Server
	db               int
	host, port       string
	dest             int64
	timeout          time.Duration // for each step of the network
	copies, replaces bool
	auth             [][]byte
	keys             [][]byte
	moving           []moved
	enc              rdb.Encoder
	err              error
}

// moved is a key as it was.
type moved struct {
	key, payload []byte
	at           engine.UnixMilli // the deadline
}

var (
	errMigrateDial  = &errs.Error{Code: "IOERR", Text: "error or timeout connecting to the client"}
	errMigrateWrite = &errs.Error{Code: "IOERR", Text: "error or timeout writing to target instance"}
	errMigrateRead  = &errs.Error{Code: "IOERR", Text: "error or timeout reading to target instance"}
	// errMigrateBusy says that a key was written to more often than it could be sent.
	errMigrateBusy = &errs.Error{Code: "TRYAGAIN", Text: "Keys were changed again and again while they were moved; they are here, and the target has older values"}
)

// partSize is how many bytes may take the timeout to be written.
const partSize = 64 << 10

// maxRounds is how often a key that changes meanwhile is sent.
const maxRounds = 16

func (m *migration) setTimeout(ms int64) {
	if ms <= 0 {
		ms = 1000
	}
	m.timeout = time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// takeDown notes what keys hold. The caller holds the lock.
func (m *migration) takeDown(keys [][]byte, look func(tx *engine.Tx, key []byte) (engine.View, bool)) {
	s := m.srv
	tx := s.held.BeginAt(m.db, engine.UnixMilli(s.now.UnixMilli()))
	defer tx.End()
	m.moving = m.moving[:0]
	for _, key := range keys {
		if v, ok := look(tx, key); ok {
			m.moving = append(m.moving, moved{bytes.Clone(key), m.enc.AppendDump(nil, v), v.ExpireAt()})
		}
	}
}

// run moves the keys.
func (m *migration) run() {
	conn, err := (&net.Dialer{Timeout: m.timeout}).DialContext(m.srv.ending, "tcp", net.JoinHostPort(m.host, m.port))
	if err != nil {
		m.err = errMigrateDial
		if errors.Is(err, syscall.ECONNREFUSED) {
			m.err = errMigrateWrite // Redis comes upon it when it writes
		}
		return
	}
	defer conn.Close()
	defer context.AfterFunc(m.srv.ending, func() { _ = conn.Close() })()
	t := &target{conn: conn, replies: resp.NewDecoder(conn), timeout: m.timeout}
	var hello [][][]byte
	if m.auth != nil {
		hello = append(hello, append([][]byte{[]byte("AUTH")}, m.auth...))
	}
	hello = append(hello, [][]byte{[]byte("SELECT"), strconv.AppendInt(nil, m.dest, 10)})
	if m.err = t.send(hello); m.err != nil {
		return
	}
	for range hello {
		if m.err = t.receive(); m.err != nil {
			return
		}
	}
	for range maxRounds {
		arrived := m.transfer(t)
		if m.copies {
			return
		}
		changed := m.remove(arrived)
		if m.err != nil || changed == 0 {
			return
		}
		m.replaces = true // what is there is ours
	}
	m.err = errMigrateBusy
}

// transfer sends what is moving, and returns what has arrived.
func (m *migration) transfer(t *target) (arrived []moved) {
	now := engine.UnixMilli(m.srv.clock.Now().UnixMilli())
	var calls [][][]byte
	var sent []moved
	for _, k := range m.moving {
		ttl := int64(0)
		if k.at != engine.Never {
			if ttl = int64(k.at - now); ttl <= 0 {
				continue // it expires here by itself
			}
		}
		call := [][]byte{[]byte("RESTORE"), k.key, strconv.AppendInt(nil, ttl, 10), k.payload}
		if m.replaces {
			call = append(call, []byte("REPLACE"))
		}
		calls, sent = append(calls, call), append(sent, k)
	}
	if m.err = t.send(calls); m.err != nil {
		return nil
	}
	for _, k := range sent {
		switch err := t.receive(); {
		case err == nil:
			arrived = append(arrived, k)
		case m.err == nil:
			m.err = err
		}
		if t.broken {
			break
		}
	}
	return arrived
}

// remove deletes the keys that have arrived as they are, and returns how many have
// changed since; those are moving then.
func (m *migration) remove(arrived []moved) (changed int) {
	s := m.srv
	h := s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	tx := h.BeginAt(m.db, engine.UnixMilli(s.now.UnixMilli()))
	defer tx.End()
	var again, gone [][]byte
	for _, k := range arrived {
		v, ok := tx.View(k.key)
		switch {
		case !ok:
		case v.ExpireAt() == k.at && bytes.Equal(m.enc.AppendDump(nil, v), k.payload):
			gone = append(gone, k.key)
		default:
			again = append(again, k.key)
		}
	}
	if len(gone) > 0 {
		tx.Delete("DEL", gone...)
	}
	m.takeDown(again, func(tx *engine.Tx, key []byte) (engine.View, bool) { return tx.View(key) })
	return len(m.moving)
}

// target is the connection to the other server.
type target struct {
	conn    net.Conn
	replies *resp.Decoder
	timeout time.Duration
	broken  bool // nothing more comes
}

func (t *target) send(calls [][][]byte) error {
	var b []byte
	for _, call := range calls {
		b = appendCall(b, call)
	}
	for part := range slices.Chunk(b, partSize) {
		_ = t.conn.SetWriteDeadline(time.Now().Add(t.timeout)) //nolint:forbidigo // the network goes by the machine's clock
		if _, err := t.conn.Write(part); err != nil {
			t.broken = true
			return errMigrateWrite
		}
	}
	return nil
}

func appendCall(b []byte, words [][]byte) []byte {
	b = append(strconv.AppendInt(append(b, '*'), int64(len(words)), 10), "\r\n"...)
	for _, w := range words {
		b = append(strconv.AppendInt(append(b, '$'), int64(len(w)), 10), "\r\n"...)
		b = append(append(b, w...), "\r\n"...)
	}
	return b
}

// receive reads a reply. It fails with what the other server has against the call.
func (t *target) receive() error {
	_ = t.conn.SetReadDeadline(time.Now().Add(t.timeout)) //nolint:forbidigo // the network goes by the machine's clock
	v, err := t.replies.Decode()
	switch {
	case err != nil:
		t.broken = true
		return errMigrateRead
	case v.IsError():
		return &errs.Error{Code: "ERR", Text: "Target instance replied with error: " + v.Text}
	}
	return nil
}
