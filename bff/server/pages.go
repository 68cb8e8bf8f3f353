package server

import (
	"bytes"
	"embed"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"coatcheck/bff"
)

//go:embed web
var web embed.FS

// pages serves the application's files. Addresses that are none of them are views of
// the single page.
type pages struct {
	files fs.FS
	csp   string
	index []byte
}

func newPages(cfg *Config) (http.Handler, error) {
	p := &pages{csp: cfg.CSP}
	if cfg.StaticDir != "" {
		root, err := os.OpenRoot(cfg.StaticDir) // no link leads out of it
		if err != nil {
			return nil, fmt.Errorf("BFF_STATIC_DIR: %w", err)
		}
		p.files = root.FS()
	} else {
		files, err := fs.Sub(web, "web")
		if err != nil {
			return nil, err
		}
		p.files = files
	}
	index, err := fs.ReadFile(p.files, "index.html")
	if err != nil {
		return nil, fmt.Errorf("the pages have no index: %w", err)
	}
	p.index = index
	if cfg.StaticDir == "" {
		p.index = filled(index, cfg)
	}
	return p, nil
}

// filled puts into the page of ours what it may offer.
func filled(index []byte, cfg *Config) []byte {
	var names []string
	for _, api := range cfg.APIs {
		names = append(names, api.Name)
	}
	return []byte(strings.NewReplacer(
		"{{provider}}", fmt.Sprint(cfg.OIDC.Issuer != ""), "{{dev-login}}", fmt.Sprint(cfg.DevLogin), "{{apis}}", html.EscapeString(strings.Join(names, " ")),
	).Replace(string(index)))
}

// ServeHTTP implements http.Handler.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", p.csp)
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name == "" || name == "index.html" {
		p.serve(w, r, "index.html", p.index)
		return
	}
	text, err := p.read(name)
	switch {
	case err == nil:
		p.serve(w, r, name, text)
	case path.Ext(name) == "" && strings.Contains(r.Header.Get("Accept"), "text/html"):
		p.serve(w, r, "index.html", p.index)
	default:
		bff.WriteProblem(w, http.StatusNotFound, "not-found", "Nothing is here.")
	}
}

// read is a file; hidden ones are none.
func (p *pages) read(name string) ([]byte, error) {
	if !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") || strings.Contains(name, "/.") {
		return nil, fs.ErrNotExist
	}
	return fs.ReadFile(p.files, name)
}

func (p *pages) serve(w http.ResponseWriter, r *http.Request, name string, text []byte) {
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(text))
}
