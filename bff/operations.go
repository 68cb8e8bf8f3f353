package bff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"coatcheck/bff/connectredis"
)

// Query says which sessions to list.
type Query struct {
	User   string // those of one user; "" for all
	Limit  int    // about how many in a page; 0: 50, at most 1000
	Cursor string // Page.Next of the page before
}

// Page is a part of a list.
type Page struct {
	Sessions []Info
	Next     string // the Query's Cursor for the page that follows; "" after the last
}

// Info is a session as lists show it: nothing of it opens anything.
type Info struct {
	Handle     Handle    `json:"handle"`
	User       string    `json:"user,omitempty"`
	Methods    []string  `json:"methods,omitempty"`
	Label      string    `json:"label,omitempty"`   // "Firefox on Linux"
	Network    string    `json:"network,omitempty"` // "192.0.2.0/24"
	CreatedAt  time.Time `json:"createdAt,omitzero"`
	SignedInAt time.Time `json:"signedInAt,omitzero"`
	// LastSeen is when the session was last touched, which lags behind its last
	// use by up to TouchEvery; near the absolute deadline, it is the latest time
	// at which that can be told.
	LastSeen          time.Time `json:"lastSeen,omitzero"`
	IdleExpiresAt     time.Time `json:"idleExpiresAt,omitzero"` // zero: never
	AbsoluteExpiresAt time.Time `json:"absoluteExpiresAt,omitzero"`
	Current           bool      `json:"current"` // it is the session of the request
	Bytes             int       `json:"bytes"`   // of the stored value
	IDPSession        string    `json:"-"`       // the id at the identity provider
}

var errNoWalk = fmt.Errorf("bff: the store cannot list sessions: %w", errors.ErrUnsupported)

// pageSize bounds pages.
const (
	defaultPage = 50
	maxPage     = 1000
)

// ListActiveSessions returns a page of sessions. A walk through the pages sees
// each session that exists all the while. Those of one user come oldest first from
// a store with an index; without one, all are looked through for them.
//
// It fails with ErrStore, or errors.ErrUnsupported when the store cannot list.
func (m *Manager) ListActiveSessions(ctx context.Context, q Query) (Page, error) {
	if err := m.Check(); err != nil {
		return Page{}, err
	}
	n := q.Limit
	if n <= 0 {
		n = defaultPage
	}
	entries, next, err := m.entries(ctx, q.User, q.Cursor, min(n, maxPage))
	if err != nil {
		return Page{}, err
	}
	page := Page{Next: next}
	current := m.currentID(ctx)
	for _, e := range entries {
		if info, ok := m.info(e, current); ok {
			page.Sessions = append(page.Sessions, info)
		}
	}
	return page, nil
}

// All is ListActiveSessions, page after page. An error ends it.
func (m *Manager) All(ctx context.Context, q Query) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for {
			page, err := m.ListActiveSessions(ctx, q)
			if err != nil {
				yield(Info{}, err)
				return
			}
			for _, info := range page.Sessions {
				if !yield(info, nil) {
					return
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return
			}
		}
	}
}

// entries is a page of what is stored, of one user when there is a name.
func (m *Manager) entries(ctx context.Context, user, cursor string, n int) (page []Entry, next string, err error) {
	if idx, ok := m.Store.(Indexer); ok && user != "" && (idx.Complete() || !m.Shared) {
		_, err = m.call(ctx, "by user", func(ctx context.Context) error {
			page, next, err = idx.ByUser(ctx, m.Prefix, user, cursor, n)
			return err
		})
		return m.only(user, page), next, err
	}
	list, ok := m.Store.(Lister)
	if !ok {
		return nil, "", errNoWalk
	}
	_, err = m.call(ctx, "list", func(ctx context.Context) error {
		page, next, err = list.List(ctx, m.Prefix, cursor, n)
		return err
	})
	if err != nil || user == "" {
		return page, next, err
	}
	return m.only(user, page), next, nil
}

// only are the sessions of a user. An index may have some that were another's once.
func (m *Manager) only(user string, page []Entry) []Entry {
	mine := page[:0:0]
	for _, e := range page {
		if doc, err := m.Codec.Decode(e.Value); err == nil && m.userOf(doc, readMeta(doc)) == user {
			mine = append(mine, e)
		}
	}
	return mine
}

// entriesOf are all sessions of a user, the oldest first, each once.
func (m *Manager) entriesOf(ctx context.Context, user string) ([]Entry, error) {
	var all []Entry
	born := map[string]int64{}
	for cursor := ""; ; {
		page, next, err := m.entries(ctx, user, cursor, maxPage)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			doc, err := m.Codec.Decode(e.Value)
			if _, twice := born[e.Key]; twice || err != nil {
				continue
			}
			mt := readMeta(doc)
			born[e.Key] = mt.Born
			if mt.To == nil { // not an id that leads to another
				all = append(all, e)
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	// An index has them in order; a walk does not.
	slices.SortStableFunc(all, func(a, b Entry) int { return cmp.Compare(born[a.Key], born[b.Key]) })
	return all, nil
}

// currentID is the id of the request's session, as far as it is known already.
func (m *Manager) currentID(ctx context.Context) string {
	s, ok := ctx.Value(sessionKey{m}).(*Session)
	if !ok {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sid
}

// info is an entry for a list; not ok for what is no session.
func (m *Manager) info(e Entry, current string) (info Info, ok bool) {
	doc, err := m.Codec.Decode(e.Value)
	if err != nil {
		return Info{}, false
	}
	mt, now := readMeta(doc), m.clock.Now()
	if ends := fromMillis(mt.Ends); mt.To != nil || !ends.IsZero() && !now.Before(ends) {
		return Info{}, false
	}
	sid := m.id(e.Key)
	info = Info{
		Handle: m.handles.learned(sid), User: m.userOf(doc, mt), Methods: mt.Methods, Label: mt.Label, Network: mt.Network,
		CreatedAt: fromMillis(mt.Born), SignedInAt: fromMillis(mt.Auth), AbsoluteExpiresAt: fromMillis(mt.Ends),
		Current: sid == current, Bytes: len(e.Value), IDPSession: mt.IDP,
	}
	if e.TTL > 0 {
		info.IdleExpiresAt = now.Add(e.TTL)
		info.LastSeen = m.lastSeen(doc, mt, info.IdleExpiresAt, now)
	}
	return info, true
}

// lastSeen follows from the deadline, which each touch puts one idle timeout
// ahead.
func (m *Manager) lastSeen(doc *connectredis.Document, mt meta, until, now time.Time) time.Time {
	idle := m.IdleTimeout
	if age := doc.MaxAge(); age > 0 && mt.Born == 0 {
		idle = age // Node's own
	}
	seen := until.Add(-idle)
	if born := fromMillis(mt.Born); seen.Before(born) {
		seen = born
	}
	if seen.After(now) {
		seen = now
	}
	return seen
}

// HandleOf is the handle of a session by its id or its key in the store, for
// programs that were given those. It does not say whether there is one.
func (m *Manager) HandleOf(idOrKey string) Handle {
	m.must()
	return m.handles.learned(m.id(idOrKey))
}

// idOf finds the id behind a handle: among those seen lately, or by walking
// through all keys.
func (m *Manager) idOf(ctx context.Context, h Handle) (string, error) {
	if sid, ok := m.handles.recall(h); ok {
		return sid, nil
	}
	for cursor := ""; ; {
		page, next, err := m.entries(ctx, "", cursor, maxPage)
		if err != nil {
			return "", err
		}
		for _, e := range page {
			if sid := m.id(e.Key); m.handles.fits(h, sid) {
				return sid, nil
			}
		}
		if cursor = next; cursor == "" {
			return "", ErrNoSession
		}
	}
}

// Inspect returns one session. It fails with ErrNoSession and ErrStore.
func (m *Manager) Inspect(ctx context.Context, h Handle) (Info, error) {
	if err := m.Check(); err != nil {
		return Info{}, err
	}
	sid, err := m.idOf(ctx, h)
	if err != nil {
		return Info{}, err
	}
	rec, err := m.find(ctx, sid)
	if err != nil {
		return Info{}, err
	}
	info, ok := m.info(Entry{m.Prefix + sid, rec}, m.currentID(ctx))
	if !ok {
		return Info{}, ErrNoSession
	}
	return info, nil
}

// InvalidateSession ends a session: no request gets through with it any more,
// also none under way, and its streams close. It fails with ErrNoSession and
// ErrStore.
//
// A handle from a list that this process made lately is found at once, any other
// by a walk over all sessions.
func (m *Manager) InvalidateSession(ctx context.Context, h Handle, why Reason) error {
	if err := m.Check(); err != nil {
		return err
	}
	sid, err := m.idOf(ctx, h)
	if err != nil {
		return err
	}
	n, err := m.remove(ctx, why, "", sid)
	if err == nil && n == 0 {
		err = ErrNoSession
	}
	return err
}

// InvalidateUser ends all sessions of a user but those excepted, and returns how
// many there were. It fails with ErrStore.
func (m *Manager) InvalidateUser(ctx context.Context, user string, except ...Handle) (int, error) {
	if err := m.Check(); err != nil {
		return 0, err
	}
	if user == "" {
		return 0, nil
	}
	entries, err := m.entriesOf(ctx, user)
	if err != nil {
		return 0, err
	}
	var out []string
	for _, e := range entries {
		if sid := m.id(e.Key); !m.anyFits(except, sid) {
			out = append(out, sid)
		}
	}
	if len(out) == 0 {
		return 0, nil
	}
	return m.remove(ctx, ReasonRevoked, user, out...)
}

func (m *Manager) anyFits(handles []Handle, sid string) bool {
	for _, h := range handles {
		if m.handles.fits(h, sid) {
			return true
		}
	}
	return false
}

// RefreshSession gives a session ttl to live from now, no longer than its absolute
// deadline, and returns it as it is then. A ttl of 0 is the idle timeout. It fails
// with ErrNoSession and ErrStore.
func (m *Manager) RefreshSession(ctx context.Context, h Handle, ttl time.Duration) (Info, error) {
	if err := m.Check(); err != nil {
		return Info{}, err
	}
	if ttl < 0 {
		return Info{}, errors.New("bff: a negative time to live")
	}
	if ttl == 0 {
		ttl = m.IdleTimeout
	}
	sid, err := m.idOf(ctx, h)
	if err != nil {
		return Info{}, err
	}
	rec, err := m.find(ctx, sid)
	if err != nil {
		return Info{}, err
	}
	doc, err := m.Codec.Decode(rec.Value)
	if err != nil {
		return Info{}, ErrNoSession
	}
	rec.TTL = capTTL(ttl, readMeta(doc), m.clock.Now())
	if err := m.touch(ctx, sid, rec.TTL); err != nil {
		return Info{}, err
	}
	m.refreshed(ctx, sid, rec.TTL)
	info, ok := m.info(Entry{m.Prefix + sid, rec}, m.currentID(ctx))
	if !ok {
		return Info{}, ErrNoSession
	}
	return info, nil
}

// refreshed tells the request's session when it is the one that was refreshed.
func (m *Manager) refreshed(ctx context.Context, sid string, ttl time.Duration) {
	s, ok := ctx.Value(sessionKey{m}).(*Session)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sid == sid && s.base != nil {
		s.until = m.clock.Now().Add(ttl)
		s.send = max(s.send, m.again())
	}
}

// Count is the number of sessions. It fails with ErrStore, or
// errors.ErrUnsupported when the store cannot count.
func (m *Manager) Count(ctx context.Context) (int, error) {
	if err := m.Check(); err != nil {
		return 0, err
	}
	list, ok := m.Store.(Lister)
	if !ok {
		return 0, errNoWalk
	}
	n := 0
	_, err := m.ask(ctx, "count", func(ctx context.Context) (err error) { // it may have to walk
		n, err = list.Count(ctx, m.Prefix)
		return err
	})
	return n, err
}
