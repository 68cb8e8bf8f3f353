package doctest

import (
	"reflect"
	"strings"
	"testing"
)

const page = "# Title\n\n" +
	"```sh\n# a comment\nmkdir x\necho a \\\n  b\ncat > f <<'EOF'\none\n\nEOF\necho c\n```\n" +
	"words\n```console\n$ echo 1; echo 2\n1\n2\n$ true\n```\n" +
	"```conf a.conf\nport 0\n```\n```sh not-run: why\nfalse\n```\n"

func TestBlocks(t *testing.T) {
	blocks, err := Blocks(page)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range blocks {
		got = append(got, b.Lang+"|"+b.Info)
	}
	if want := []string{"sh|", "console|", "conf|a.conf", "sh|not-run: why"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	want := []Command{
		{Line: 5, Text: "mkdir x"},
		{Line: 6, Text: "echo a \\\n  b"},
		{Line: 8, Text: "cat > f <<'EOF'\none\n\nEOF"},
		{Line: 12, Text: "echo c"},
	}
	if got := blocks[0].Commands(); !reflect.DeepEqual(got, want) {
		t.Errorf("sh:\n got %+v\nwant %+v", got, want)
	}
	want = []Command{
		{Line: 16, Text: "echo 1; echo 2", Output: []string{"1", "2"}, Checked: true},
		{Line: 19, Text: "true", Checked: true},
	}
	if got := blocks[1].Commands(); !reflect.DeepEqual(got, want) {
		t.Errorf("console:\n got %+v\nwant %+v", got, want)
	}
	if _, err := Blocks("```sh\nx\n"); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a block without end: got %v", err)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		shown, output string
		want          bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a", "a\nb", false},
		{"a\n...", "a\nb\nc", true},
		{"...\nc", "a\nb\nc", true},
		{"...\nd", "a\nb\nc", false},
		{"pid ... port ...", "pid 1 port 2", true},
		{"pid ... port 3", "pid 1 port 2", false},
		{"v...", "v1", true},
	} {
		if got := Matches(strings.Split(c.shown, "\n"), strings.Split(c.output, "\n")); got != c.want {
			t.Errorf("%q against %q: %v", c.shown, c.output, got)
		}
	}
	if !Matches(nil, nil) || Matches(nil, []string{"x"}) {
		t.Error("no output shown means that there is none")
	}
}
