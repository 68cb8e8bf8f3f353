package doctest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Runner runs pages.
type Runner struct {
	// Env is the environment of the pages' shells.
	Env []string
	// Rewrite changes the text of commands, files and shown output before they
	// are used: free ports in the place of well-known ones.
	Rewrite func(string) string
	// Code is the Go code of the project's tests, in which a page's Go must
	// stand; see NormalGo.
	Code string
	// Patience bounds one page.
	Patience time.Duration
}

// Run runs one page in an empty directory and reports what does not work, with
// the line of the page.
func (r *Runner) Run(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := Blocks(string(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	dir := t.TempDir()
	sh, err := StartShell(dir, append(r.Env, "HOME="+dir))
	if err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(r.Patience, sh.Close)
	defer sh.Close()
	defer late.Stop()
	for _, b := range blocks {
		where := fmt.Sprintf("%s:%d", filepath.Base(file), b.Line)
		if !r.block(t, sh, dir, where, b) {
			return
		}
	}
}

// block runs one block; false says that the rest of the page makes no sense.
func (r *Runner) block(t *testing.T, sh *Shell, dir, where string, b Block) bool {
	switch b.Lang {
	case "sh", "console":
		if why, skip := strings.CutPrefix(b.Info, "not-run:"); skip {
			if strings.TrimSpace(why) == "" {
				t.Errorf("%s: not-run without a reason", where)
			}
			return true
		}
		for _, c := range b.Commands() {
			if !r.command(t, sh, dir, where, c) {
				return false
			}
		}
	case "conf":
		if b.Info == "" {
			t.Errorf("%s: conf without a file name", where)
			return true
		}
		text := r.Rewrite(strings.Join(b.Text, "\n") + "\n")
		if err := os.WriteFile(filepath.Join(dir, b.Info), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	case "go":
		if !strings.Contains(r.Code, NormalGo(strings.Join(b.Text, "\n"))) {
			t.Errorf("%s: this Go code stands in no test", where)
		}
	}
	return true
}

func (r *Runner) command(t *testing.T, sh *Shell, dir, where string, c Command) bool {
	output, status, err := sh.Run(r.Rewrite(c.Text))
	if err != nil || status != 0 {
		log, _ := os.ReadFile(filepath.Join(dir, "background.log"))
		t.Errorf("%s: $ %s\n%s\nexit status %d, %v\nin the background:\n%s",
			where, c.Text, strings.Join(output, "\n"), status, err, log)
		return false
	}
	var shown []string
	for _, line := range c.Output {
		shown = append(shown, r.Rewrite(line))
	}
	if c.Checked && !isBackground(c.Text) && !Matches(shown, output) {
		t.Errorf("%s: $ %s\nprints\n%s\nand the page shows\n%s",
			where, c.Text, strings.Join(output, "\n"), strings.Join(shown, "\n"))
	}
	return true
}

// NormalGo is Go code without the indentation and blank lines that differ between
// a page and a test.
func NormalGo(code string) string {
	var lines []string
	for _, line := range strings.Split(code, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}
