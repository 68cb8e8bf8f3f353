// Package doctest runs the documentation: the shell commands, configuration
// files and Go code in Markdown pages. It knows Markdown's fences and a shell;
// what the commands mean it does not.
//
// In a page,
//
//	```sh                    each command runs and must succeed
//	```console               lines after "$ " run; what follows them is their
//	                         output, where a line "..." stands for any lines
//	                         and "..." within a line for any text
//	```conf coatcheck.conf   is written to that file for later commands
//	```go                    must stand, line for line, in a test of ours
//
// and "not-run: why" after sh or console keeps a block from running. All blocks
// of a page share one shell in one empty directory.
package doctest

import (
	"fmt"
	"strings"
)

// Block is one fenced block of a page.
type Block struct {
	Line int    // where its text begins, from 1
	Lang string // the first word after the fence
	Info string // the rest of that line
	Text []string
}

// Blocks returns the fenced blocks of a Markdown page, in order.
func Blocks(page string) ([]Block, error) {
	var blocks []Block
	var open *Block
	for i, line := range strings.Split(page, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			lang, info, _ := strings.Cut(fence, " ")
			open = &Block{Line: i + 2, Lang: lang, Info: strings.TrimSpace(info)}
		case isFence:
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.Text = append(open.Text, line)
		}
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: the block never ends", open.Line)
	}
	return blocks, nil
}

// Command is a command of a block with the output that the page shows.
type Command struct {
	Line   int
	Text   string
	Output []string
	// Checked says that Output is what must come; else anything may.
	Checked bool
}

// Commands are the commands of a block in sh or console.
func (b Block) Commands() []Command {
	if b.Lang == "console" {
		return b.console()
	}
	var cmds []Command
	for i := 0; i < len(b.Text); i++ {
		line := strings.TrimSpace(b.Text[i])
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cmd := Command{Line: b.Line + i, Text: b.Text[i]}
		for n := continued(b.Text[i:]); n > 0; n-- {
			i++
			cmd.Text += "\n" + b.Text[i]
		}
		cmds = append(cmds, cmd)
	}
	return cmds
}

func (b Block) console() []Command {
	var cmds []Command
	for i := 0; i < len(b.Text); i++ {
		text, isCommand := strings.CutPrefix(b.Text[i], "$ ")
		switch {
		case isCommand:
			cmd := Command{Line: b.Line + i, Text: text, Checked: true}
			for n := continued(append([]string{text}, b.Text[i+1:]...)); n > 0; n-- {
				i++
				cmd.Text += "\n" + b.Text[i]
			}
			cmds = append(cmds, cmd)
		case len(cmds) > 0:
			last := &cmds[len(cmds)-1]
			last.Output = append(last.Output, b.Text[i])
		}
	}
	return cmds
}

// continued is how many of the lines after the first belong to its command:
// after a backslash, or up to the end of a here-document.
func continued(lines []string) int {
	n := 0
	for n < len(lines)-1 && strings.HasSuffix(lines[n], `\`) {
		n++
	}
	if _, mark, ok := strings.Cut(lines[n], "<<"); ok && mark != "" && mark[0] != '<' {
		mark = strings.Trim(strings.Fields(mark)[0], `'"-`)
		for n < len(lines)-1 {
			n++
			if lines[n] == mark {
				break
			}
		}
	}
	return n
}

// Matches says whether output is what the page shows.
func Matches(shown, output []string) bool {
	if len(shown) == 0 {
		return len(output) == 0
	}
	if shown[0] == "..." {
		for skip := 0; skip <= len(output); skip++ {
			if Matches(shown[1:], output[skip:]) {
				return true
			}
		}
		return false
	}
	return len(output) > 0 && lineMatches(shown[0], output[0]) && Matches(shown[1:], output[1:])
}

func lineMatches(shown, line string) bool {
	parts := strings.Split(shown, "...")
	if len(parts) == 1 {
		return shown == line
	}
	rest, ok := strings.CutPrefix(line, parts[0])
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, p)
		if i < 0 {
			return false
		}
		rest = rest[i+len(p):]
	}
	return ok && strings.HasSuffix(rest, parts[len(parts)-1])
}
