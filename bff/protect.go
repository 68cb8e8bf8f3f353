package bff

import (
	"net/http"
)

// Protect turns away requests that another site's page may have caused (CSRF). It
// lets through what has the header "X-CSRF: 1", which a page of another origin
// cannot send without being asked for leave, and what the browser's Sec-Fetch-Site
// or Origin say comes from here, or from TrustedOrigins. Every method counts: a
// route that is not for scripts belongs outside.
//
// The others get 403 as application/problem+json. Protect panics when Check fails.
func (m *Manager) Protect(next http.Handler) http.Handler {
	m.must()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-CSRF") != "1" || m.crosses(r) {
			m.metrics.CSRFDenied()
			WriteProblem(w, http.StatusForbidden, "csrf", "The request did not come from this site's own pages, or lacks the header X-CSRF: 1.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// crosses says whether a request comes from another origin. The standard library
// judges only methods that change something; here all do.
func (m *Manager) crosses(r *http.Request) bool {
	judged := *r
	judged.Method = http.MethodPost
	return m.csrf.Check(&judged) != nil
}
