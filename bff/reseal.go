package bff

import (
	"context"
	"errors"
	"fmt"
)

// Reseal closes sealed members anew that an older key of the Keyring closed, and
// returns how many sessions had any: after that the older key may go. Sessions
// that others write meanwhile are done again.
//
// It fails with ErrSealed when a session has members that no key opens, and with
// ErrStore. It may be called again.
func (m *Manager) Reseal(ctx context.Context) (n int, err error) {
	if err := m.Check(); err != nil {
		return 0, err
	}
	for cursor := ""; ; {
		page, next, err := m.entries(ctx, "", cursor, maxPage)
		if err != nil {
			return n, err
		}
		for _, e := range page {
			done, err := m.resealOne(ctx, e)
			if err != nil {
				return n, err
			}
			n += done
		}
		if cursor = next; cursor == "" {
			return n, nil
		}
	}
}

func (m *Manager) resealOne(ctx context.Context, e Entry) (done int, err error) {
	s := &Session{m: m, ctx: ctx, sid: m.id(e.Key), loaded: true}
	for range maxTries {
		doc, err := m.Codec.Decode(e.Value)
		if err != nil {
			return 0, nil // no session
		}
		mt := readMeta(doc)
		if m.Keys.isCurrent(mt.Box) {
			return 0, nil
		}
		if mt.Box, err = m.Keys.reseal(mt.Box, e.Key, e.Key, &changes{}); err != nil {
			return 0, fmt.Errorf("%w (session %s)", err, m.handles.of(s.sid))
		}
		if err := writeMeta(doc, mt); err != nil {
			return 0, err
		}
		err = m.replace(ctx, s.sid, e.Value, Record{Value: doc.Bytes(), TTL: e.TTL})
		if err == nil {
			return 1, nil
		}
		if errors.Is(err, ErrConflict) {
			e.Record, err = m.find(ctx, s.sid)
		}
		if errors.Is(err, ErrNoSession) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, ErrConflict
}
