package bfftest

import (
	"net/http"
	"testing"
)

// Trials is how often a race is run: what happens 1 time in 10 shows.
const Trials = 20

// Race is how the trials of a race ended.
type Race struct {
	Alive int // how often the session was there after its logout
	Late  int // how often the overtaken request got an answer of 200
}

// RaceLogout has a logout overtake a request of the same session, Trials times. app
// makes an application with
//
//	POST /login        signs somebody in
//	POST /logout       signs him out
//	GET /me            200 when somebody is signed in
//	POST /slow-write   changes the session, and calls hold
//	GET /slow-read     reads the session, and calls hold
//
// in its handlers; path is "/slow-write" or "/slow-read". The request is in hold when
// the logout begins, and goes on when that has been answered.
func RaceLogout(t testing.TB, path string, app func(hold func()) http.Handler) (r Race) {
	t.Helper()
	method := http.MethodGet
	if path == "/slow-write" {
		method = http.MethodPost
	}
	for range Trials {
		held, release := make(chan struct{}), make(chan struct{})
		handler := app(func() {
			held <- struct{}{}
			<-release
		})
		b := NewBrowser(t, handler)
		if status := b.Post("/login").StatusCode; status != http.StatusOK {
			t.Fatalf("login: %d", status)
		}
		slow, thief := b.Tab(), b.Tab() // the thief keeps the cookie
		late := make(chan int, 1)
		go func() { late <- slow.Do(method, path, "").StatusCode }()
		select {
		case <-held:
		case status := <-late:
			t.Fatalf("%s answered %d and never called hold", path, status)
		}
		if status := b.Post("/logout").StatusCode; status != http.StatusOK {
			t.Fatalf("logout: %d", status)
		}
		close(release)
		if <-late == http.StatusOK {
			r.Late++
		}
		if thief.Get("/me").StatusCode == http.StatusOK {
			r.Alive++
		}
	}
	return r
}
