package server

import (
	"net/http"
	"strconv"
	"time"

	"coatcheck/bff"
)

// The routes that session guides have: lists of keys, ids in paths. An id is taken
// with or without the prefix, as a handle or as a session id; what is listed opens
// nothing.

// key is a session's handle in the shape of a key.
func (s *Server) key(h bff.Handle) string { return s.m.Prefix + h.String() }

// named are the handles that an id may mean.
func (s *Server) named(id string) []bff.Handle {
	if len(id) > 512 {
		return nil
	}
	if cut := len(s.m.Prefix); len(id) > cut && id[:cut] == s.m.Prefix {
		id = id[cut:]
	}
	return []bff.Handle{bff.Handle(id), s.m.HandleOf(id)}
}

// compatList is GET /api/sessions: the user's own.
func (s *Server) compatList(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	keys := []string{}
	for info, err := range s.m.All(ctx, bff.Query{User: s.m.From(ctx).UserID()}) {
		if err != nil {
			s.m.ErrorHandler(w, r, err)
			return
		}
		keys = append(keys, s.key(info.Handle))
	}
	writeJSON(w, http.StatusOK, map[string]any{"sessions": keys})
}

// compatDelete is DELETE /api/sessions/:id.
func (s *Server) compatDelete(w http.ResponseWriter, r *http.Request) {
	s.revokeOwn(w, r, s.named(r.PathValue("id"))...)
}

// compatRefresh is POST /api/sessions/:id/refresh {newTTL}, in seconds.
func (s *Server) compatRefresh(w http.ResponseWriter, r *http.Request) {
	var body struct {
		NewTTL float64 `json:"newTTL"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	const year = 366 * 24 * 3600 // the absolute deadline is nearer anyway
	if !(body.NewTTL > 0 && body.NewTTL <= year) {
		bff.WriteProblem(w, http.StatusBadRequest, "ttl", "newTTL must be a positive number of seconds.")
		return
	}
	info, err := s.own(r.Context(), s.named(r.PathValue("id"))...)
	if err == nil {
		info, err = s.m.RefreshSession(r.Context(), info.Handle, max(time.Duration(body.NewTTL*float64(time.Second)), time.Millisecond))
	}
	if err != nil {
		s.fails(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, s.sessionJSON(info))
}

// internal adds the routes for admins.
func (s *Server) internal(mux *http.ServeMux) {
	mux.Handle("/internal/sessions", methods{"GET": s.admin(s.internalList)})
	mux.Handle("/internal/sessions/{id}", methods{"DELETE": s.admin(s.internalDelete)})
}

// internalList is GET /internal/sessions: a page of all, and where the next begins.
func (s *Server) internalList(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit := 1000
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			bff.WriteProblem(w, http.StatusBadRequest, "limit", "limit must be a number from 1 to 1000.")
			return
		}
		limit = n
	}
	page, err := s.m.ListActiveSessions(r.Context(), bff.Query{User: query.Get("user"), Limit: limit, Cursor: query.Get("cursor")})
	if err != nil {
		s.m.ErrorHandler(w, r, err)
		return
	}
	keys := []string{}
	for _, info := range page.Sessions {
		keys = append(keys, s.key(info.Handle))
	}
	out := map[string]any{"sessions": keys}
	if page.Next != "" {
		out["next"] = page.Next
	}
	writeJSON(w, http.StatusOK, out)
}

// internalDelete is DELETE /internal/sessions/:id.
func (s *Server) internalDelete(w http.ResponseWriter, r *http.Request) {
	for _, h := range s.named(r.PathValue("id")) {
		n, err := s.end(r.Context(), bff.ReasonRevoked, h)
		if err != nil {
			s.fails(w, r, err)
			return
		}
		if n > 0 {
			s.log.Info("session ended by an admin", "sid", h.String(), "admin", s.cfg.AdminUser, "from", r.RemoteAddr)
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	s.fails(w, r, bff.ErrNoSession)
}
