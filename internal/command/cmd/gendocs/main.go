// Command gendocs writes docs/commands.md and the table of commands in
// COMPATIBILITY.md from the command table. Run it by go generate, or make gen.
package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"coatcheck/internal/command"
	"coatcheck/internal/server"
)

//go:generate go run . ../../../..

// redis72 is the commands of Redis 7.2 and their groups: those of 7.0, which a test
// compares with a real server, and the four that 7.2 brought.
//
//go:embed redis72.txt
var redis72 string

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := generate(root); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

func generate(root string) error {
	dir := server.Directory()
	if err := os.WriteFile(filepath.Join(root, "docs", "commands.md"), []byte(reference(dir)), 0o644); err != nil {
		return err
	}
	name := filepath.Join(root, "COMPATIBILITY.md")
	page, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		page, err = []byte("# Compatibility\n\n"+begin+"\n"+end+"\n"), nil
	}
	if err != nil {
		return err
	}
	text, err := replace(string(page), coverage(dir))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

// The generated part of COMPATIBILITY.md stands between these lines.
const (
	begin = "<!-- Commands: written by make gen from the command table. -->"
	end   = "<!-- End of what make gen writes. -->"
)

func replace(page, text string) (string, error) {
	before, rest, ok := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", fmt.Errorf("the lines %q and %q are missing", begin, end)
	}
	return before + begin + "\n\n" + text + "\n" + end + after, nil
}

// groups are the groups of commands in the order of Redis' documentation.
var groups = []string{
	"string", "generic", "hash", "list", "set", "sorted-set", "stream", "bitmap", "hyperloglog",
	"geo", "pubsub", "transactions", "scripting", "connection", "server", "cluster", "sentinel",
}

// reference is docs/commands.md.
func reference(dir *command.Directory) string {
	var b strings.Builder
	b.WriteString("<!-- Written by make gen from the command table; do not edit. -->\n# Commands\n\n" +
		"What the server has, group by group: syntax, what it does, what it costs, the Redis version\n" +
		"that brought it, and the ACL categories it belongs to. `COMMAND DOCS` tells the same.\n")
	for _, group := range groups {
		var lines []string
		for _, top := range dir.All() {
			for _, c := range append([]*command.Info{top}, top.Subs...) {
				if string(c.Group) == group && (!c.Container || len(c.Subs) == 0) {
					lines = append(lines, entry(c))
				}
			}
		}
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n## %s\n\n%s", group, strings.Join(lines, ""))
		}
	}
	return b.String()
}

func entry(c *command.Info) string {
	usage := c.Usage()
	if parent, _, isSub := strings.Cut(c.Full, "|"); isSub {
		usage = strings.ToUpper(parent) + " " + usage
	}
	text := fmt.Sprintf("- `%s`\n  %s *%s; since %s", usage, c.Summary, strings.TrimSuffix(c.Complexity, "."), c.Since)
	for _, category := range c.ACLCategories(c.Container) {
		text += " @" + category
	}
	if c.DeprecatedSince != "" {
		text += "; deprecated since " + c.DeprecatedSince
		if c.ReplacedBy != "" {
			text += ", use " + c.ReplacedBy
		}
	}
	return text + "*\n"
}

// coverage is the table of what Redis 7.2 has and what we have of it.
func coverage(dir *command.Directory) string {
	have, missing := map[string]int{}, map[string][]string{}
	known := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(redis72), "\n") {
		name, group, _ := strings.Cut(line, " ")
		known[name] = true
		if dir.Find(name) != nil {
			have[group]++
		} else {
			missing[group] = append(missing[group], name)
		}
	}
	var b strings.Builder
	b.WriteString("Commands and subcommands of Redis 7.2:\n\n| group | have | of | missing |\n|---|---|---|---|\n")
	total, of := 0, 0
	for _, group := range groups {
		n := have[group] + len(missing[group])
		if n == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %s |\n", group, have[group], n, names(missing[group]))
		total, of = total+have[group], of+n
	}
	fmt.Fprintf(&b, "| **all** | **%d** | **%d** | |\n", total, of)
	if extra := beyond(dir, known); len(extra) > 0 {
		fmt.Fprintf(&b, "\nBeyond Redis 7.2: %s.\n", names(extra))
	}
	return b.String()
}

// beyond are our commands that Redis 7.2 has not.
func beyond(dir *command.Directory, known map[string]bool) []string {
	var extra []string
	for _, top := range dir.All() {
		for _, c := range append([]*command.Info{top}, top.Subs...) {
			if !known[c.Full] {
				extra = append(extra, c.Full)
			}
		}
	}
	return extra
}

// names writes full names for people; a container that is missing whole is told
// once, with its subcommands.
func names(full []string) string {
	var words []string
	for _, name := range full {
		parent, sub, isSub := strings.Cut(name, "|")
		if isSub && slices.Contains(full, parent) {
			continue
		}
		word := strings.ToUpper(parent)
		if isSub {
			word += " " + strings.ToUpper(sub)
		}
		words = append(words, "`"+word+"`")
	}
	return strings.Join(words, ", ")
}
