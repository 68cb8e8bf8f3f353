package doctest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestShell(t *testing.T) {
	dir := t.TempDir()
	sh, err := StartShell(dir, []string{"PATH=" + os.Getenv("PATH")})
	if err != nil {
		t.Fatal(err)
	}
	defer sh.Close()
	for _, c := range []struct {
		command string
		output  []string
		status  int
	}{
		{"echo one; echo two", []string{"one", "two"}, 0},
		{"printf unfinished", []string{"unfinished"}, 0},
		{"cd ..; cd -P " + dir + "; x=5", nil, 0},
		{"echo $x >&2; false", []string{"5"}, 1},
		{"cat << EOF\nin here\nEOF", []string{"in here"}, 0},
		{"y=7 bash -c 'echo $y' &", nil, 0},
		{"wait; cat background.log", []string{"7"}, 0},
		{"sleep 100 &", nil, 0},
		{"kill %1", nil, 0},
	} {
		output, status, err := sh.Run(c.command)
		if err != nil || status != c.status || !slices.Equal(output, c.output) {
			t.Errorf("%q: got %q, %d, %v; want %q, %d", c.command, output, status, err, c.output, c.status)
		}
	}
	if _, _, err := sh.Run("exit 3"); err == nil || !strings.Contains(err.Error(), "the shell ended") {
		t.Errorf("a page that ends its shell: got %v", err)
	}
}

func TestWaitingClientNeedsTheProgram(t *testing.T) {
	dir := t.TempDir()
	if err := WaitingClient(dir, "no-such-program", "1"); err == nil {
		t.Error("a missing program must fail")
	}
	if err := WaitingClient(dir, "true", "1"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "true")); err != nil {
		t.Error(err)
	}
}
