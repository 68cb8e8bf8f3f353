package server

import (
	"slices"

	"coatcheck/engine"
	"coatcheck/internal/policy"
	"coatcheck/metrics"
)

// sessionPolicies are the parameters that policiesChanged takes over.
var sessionPolicies = []string{
	"session-prefix", "session-tombstone-ttl", "session-tombstone-for", "session-tombstone-max", "session-max-lifetime",
	"session-user-path", "session-max-per-user", "session-max-per-user-policy", "session-events",
}

// policiesChanged has the policies about sessions be those of the configuration. The
// caller holds the lock.
func (s *Server) policiesChanged() error {
	c := &s.cfg.Sessions
	opt := policy.Options{
		Prefix: s.cfg.SessionPrefix, TombstoneTTL: 1000 * c.TombstoneTTL, TombstoneMax: c.TombstoneMax,
		TombstoneExpired: slices.Contains(c.TombstoneFor, "expired"), TombstoneEvicted: slices.Contains(c.TombstoneFor, "evicted"),
		MaxLifetime: 1000 * c.MaxLifetime, MaxPerUser: c.MaxPerUser, Refuse: c.MaxPerUserPolicy == "refuse", Events: c.Events,
	}
	switch {
	case len(c.UserPath) == 0:
		s.userPaths, s.userPath = nil, nil
	case !slices.Equal(c.UserPath, s.userPath):
		paths, err := policy.ParsePaths(c.UserPath)
		if err != nil {
			return err
		}
		s.userPaths, s.userPath = paths, slices.Clone(c.UserPath)
	}
	opt.Users = s.userPaths
	s.policies.Set(s.held, engine.UnixMilli(s.now.UnixMilli()), opt)
	return nil
}

// servedClient tells who is being served: user and address; "" for nobody.
func (s *Server) servedClient() string {
	if s.running == nil {
		return ""
	}
	return s.running.user.Name + "@" + s.running.addr
}

// keysLoaded takes over what was put into the engine without effects.
func (s *Server) keysLoaded() {
	now := engine.UnixMilli(s.now.UnixMilli())
	s.sessions.setPrefix(s.held, now, s.cfg.SessionPrefix)
	s.policies.Learn(s.held, now)
}

// sessionFigures is what metrics tell of sessions.
func (s *Server) sessionFigures() []metrics.Sessions {
	all := s.sessions.figures()
	f := s.policies.Figures()
	for i := range all {
		all[i].Revoked, all[i].OverLimit = f.Ended[policy.Revoked], f.Ended[policy.Limit]
		all[i].LateRefused, all[i].OverRefused = f.LateRefused, f.OverRefused
		all[i].Users, all[i].Tombstones = int64(f.Users), int64(f.Tombstones)
	}
	return all
}
