package server

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"coatcheck/bff"
)

// sessionJSON is a session as its own user sees it.
type sessionJSON struct {
	Handle            bff.Handle `json:"handle"`
	CreatedAt         time.Time  `json:"createdAt,omitzero"`
	IdleExpiresAt     time.Time  `json:"idleExpiresAt,omitzero"`
	AbsoluteExpiresAt time.Time  `json:"absoluteExpiresAt,omitzero"`
	ExpiresIn         int64      `json:"expiresIn"` // seconds, to the first of both
}

func (s *Server) sessionJSON(info bff.Info) sessionJSON {
	first := info.IdleExpiresAt
	if ends := info.AbsoluteExpiresAt; first.IsZero() || !ends.IsZero() && ends.Before(first) {
		first = ends
	}
	out := sessionJSON{Handle: info.Handle, CreatedAt: info.CreatedAt, IdleExpiresAt: info.IdleExpiresAt, AbsoluteExpiresAt: info.AbsoluteExpiresAt}
	if !first.IsZero() {
		out.ExpiresIn = int64(first.Sub(s.clock.Now()) / time.Second)
	}
	return out
}

// answer is what GET /bff/session says.
type answer struct {
	Authenticated bool                       `json:"authenticated"`
	User          map[string]json.RawMessage `json:"user"`
	Session       sessionJSON                `json:"session"`
}

// session is GET /bff/session: who is signed in, and for how long. With slide=false it
// does not count as use.
func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	sess := s.m.From(r.Context())
	if r.URL.Query().Get("slide") == "false" {
		sess.DontSlide()
	}
	if err := s.m.Save(r.Context()); err != nil { // the deadline moves now, and the answer has it
		s.m.ErrorHandler(w, r, err)
		return
	}
	s.writeSession(w, r)
}

func (s *Server) writeSession(w http.ResponseWriter, r *http.Request) {
	sess := s.m.From(r.Context())
	info, ok := sess.Info()
	if !ok {
		s.m.ErrorHandler(w, r, sess.Err())
		return
	}
	user := map[string]json.RawMessage{}
	if _, err := sess.Get("profile", &user); err != nil || user == nil {
		user = map[string]json.RawMessage{} // another program's member of that name
	}
	sub, err := json.Marshal(info.User)
	if err != nil {
		panic(err) // a string
	}
	user["sub"] = sub
	writeJSON(w, http.StatusOK, answer{true, user, s.sessionJSON(info)})
}

// refresh is POST /bff/session/refresh.
func (s *Server) refresh(w http.ResponseWriter, r *http.Request) {
	sess := s.m.From(r.Context())
	if _, err := s.m.RefreshSession(r.Context(), sess.Handle(), 0); err != nil {
		s.m.ErrorHandler(w, r, err)
		return
	}
	s.writeSession(w, r)
}

// devices is GET /bff/sessions: where the user is signed in.
func (s *Server) devices(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	sessions := []bff.Info{}
	for info, err := range s.m.All(ctx, bff.Query{User: s.m.From(ctx).UserID()}) {
		if err != nil {
			s.m.ErrorHandler(w, r, err)
			return
		}
		sessions = append(sessions, info)
	}
	writeJSON(w, http.StatusOK, map[string]any{"sessions": sessions})
}

// own is one of the user's sessions; bff.ErrNoSession for one of another.
func (s *Server) own(ctx context.Context, h ...bff.Handle) (bff.Info, error) {
	for info, err := range s.m.All(ctx, bff.Query{User: s.m.From(ctx).UserID()}) {
		if err != nil {
			return bff.Info{}, err
		}
		for _, one := range h {
			if info.Handle == one {
				return info, nil
			}
		}
	}
	return bff.Info{}, bff.ErrNoSession
}

// fails answers with an error about a session that was named: that it is none is 404
// there.
func (s *Server) fails(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, bff.ErrNoSession) || errors.Is(err, bff.ErrExpired) {
		bff.WriteProblem(w, http.StatusNotFound, "not-found", "There is no such session.")
		return
	}
	s.m.ErrorHandler(w, r, err)
}

// end ends sessions, with their tokens at the provider.
func (s *Server) end(ctx context.Context, why bff.Reason, handles ...bff.Handle) (n int, err error) {
	if s.login != nil {
		return s.login.End(ctx, why, handles...)
	}
	for _, h := range handles {
		err := s.m.InvalidateSession(ctx, h, why)
		if err == nil {
			n++
		} else if !errors.Is(err, bff.ErrNoSession) {
			return n, err
		}
	}
	return n, nil
}

// revokeOne is DELETE /bff/sessions/{handle}.
func (s *Server) revokeOne(w http.ResponseWriter, r *http.Request) {
	s.revokeOwn(w, r, bff.Handle(r.PathValue("handle")))
}

func (s *Server) revokeOwn(w http.ResponseWriter, r *http.Request, names ...bff.Handle) {
	ctx := r.Context()
	info, err := s.own(ctx, names...)
	if err == nil {
		_, err = s.end(ctx, bff.ReasonRevoked, info.Handle)
	}
	if err == nil && info.Current {
		err = s.forget(w, ctx)
	}
	if err != nil {
		s.fails(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// revokeAll is DELETE /bff/sessions: everywhere, or with except=current everywhere
// else.
func (s *Server) revokeAll(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	spare := r.URL.Query().Get("except")
	if spare != "" && spare != "current" {
		bff.WriteProblem(w, http.StatusBadRequest, "except", "current is what can be excepted.")
		return
	}
	var handles []bff.Handle
	for info, err := range s.m.All(ctx, bff.Query{User: s.m.From(ctx).UserID()}) {
		if err != nil {
			s.m.ErrorHandler(w, r, err)
			return
		}
		if spare == "" || !info.Current {
			handles = append(handles, info.Handle)
		}
	}
	n, err := s.end(ctx, bff.ReasonRevoked, handles...)
	if err == nil && spare == "" {
		err = s.forget(w, ctx)
	}
	if err != nil {
		s.m.ErrorHandler(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{"revoked": n})
}

// forget has the browser forget its session, which has ended.
func (s *Server) forget(w http.ResponseWriter, ctx context.Context) error {
	if err := s.m.SignOut(ctx); err != nil {
		return err
	}
	clearSite(w)
	return nil
}

// clearSite has the browser drop what it keeps of this origin. Not "cookies": that
// would be those of all hosts of the domain, the identity provider's among them.
func clearSite(w http.ResponseWriter) { w.Header().Set("Clear-Site-Data", `"cache", "storage"`) }

// logout is POST /bff/logout. It says where the browser should go, to end the
// provider's session, too.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	redirect := "/"
	if s.login == nil {
		if err := s.m.SignOut(r.Context()); err != nil {
			s.m.ErrorHandler(w, r, err)
			return
		}
	} else {
		to, err := s.login.LogOut(r.Context())
		if err != nil {
			s.m.ErrorHandler(w, r, err)
			return
		}
		if to != "" {
			redirect = to
		}
	}
	clearSite(w)
	writeJSON(w, http.StatusOK, map[string]string{"redirect": redirect})
}

// devUser is who signs in for development.
type devUser struct {
	Sub   string   `json:"sub"`
	Name  string   `json:"name,omitempty"`
	Roles []string `json:"roles,omitempty"`
}

// devLogin is POST /bff/dev/login.
func (s *Server) devLogin(w http.ResponseWriter, r *http.Request) {
	// The listener is on this machine; a socket that was handed over might not be.
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if addr, bad := netip.ParseAddr(host); err != nil || bad != nil || !addr.Unmap().IsLoopback() {
		bff.WriteProblem(w, http.StatusForbidden, "dev-login-loopback", "That is for this machine only.")
		return
	}
	var u devUser
	if !readJSON(w, r, &u) {
		return
	}
	if u.Sub == "" || len(u.Sub) > 255 {
		bff.WriteProblem(w, http.StatusBadRequest, "sub", "sub must be a user's id.")
		return
	}
	sess := s.m.From(r.Context())
	err = sess.Put("profile", struct {
		Name  string   `json:"name,omitempty"`
		Roles []string `json:"roles,omitempty"`
	}{u.Name, u.Roles})
	if err == nil {
		err = s.m.SignIn(r.Context(), bff.Identity{User: u.Sub, Methods: []string{"dev"}})
	}
	if err != nil {
		s.m.ErrorHandler(w, r, err)
		return
	}
	s.writeSession(w, r)
}
