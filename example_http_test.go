package coatcheck_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck"
)

// sessions keeps who is logged in, by a random id in a cookie.
type sessions struct{ rdb *redis.Client }

// login begins a session of 15 minutes for the user in the query.
func (s sessions) login(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()
	if err := s.rdb.Set(r.Context(), "myapp:"+id, r.FormValue("user"), 15*time.Minute).Err(); err != nil {
		http.Error(w, "no session store", http.StatusServiceUnavailable)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: "sid", Value: id, Path: "/", MaxAge: 900,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	fmt.Fprint(w, "welcome")
}

// whoami reads the session and lets it live for another 15 minutes.
func (s sessions) whoami(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie("sid")
	if err != nil {
		http.Error(w, "nobody", http.StatusUnauthorized)
		return
	}
	user, err := s.rdb.GetEx(r.Context(), "myapp:"+cookie.Value, 15*time.Minute).Result()
	if err != nil {
		http.Error(w, "nobody", http.StatusUnauthorized)
		return
	}
	fmt.Fprint(w, user)
}

// logout ends the session.
func (s sessions) logout(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie("sid"); err == nil {
		s.rdb.Del(r.Context(), "myapp:"+cookie.Value)
	}
	fmt.Fprint(w, "bye")
}

// Sessions of a web application, kept in its own process.
func Example_httpSessions() {
	srv, err := coatcheck.Start(context.Background(), coatcheck.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	rdb := redis.NewClient(&redis.Options{Dialer: srv.Dial})
	defer rdb.Close()

	s := sessions{rdb}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("GET /whoami", s.whoami)
	mux.HandleFunc("POST /logout", s.logout)
	web := httptest.NewTLSServer(mux)
	defer web.Close()

	browser := web.Client()
	browser.Jar, _ = cookiejar.New(nil)
	ask := func(method, path string) {
		req, err := http.NewRequest(method, web.URL+path, nil)
		if err != nil {
			log.Fatal(err)
		}
		res, err := browser.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d %s\n", path, res.StatusCode, body)
	}
	ask("POST", "/login?user=anna")
	ask("GET", "/whoami")
	ask("POST", "/logout")
	ask("GET", "/whoami")
	// Output:
	// /login?user=anna: 200 welcome
	// /whoami: 200 anna
	// /logout: 200 bye
	// /whoami: 401 nobody
}
