// Command gendocs writes docs/parameters.md from the table of parameters. Run it
// by go generate, or make gen.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"coatcheck/internal/config"
)

//go:generate go run . ../../../..

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := os.WriteFile(filepath.Join(root, "docs", "parameters.md"), []byte(page(config.Notes())), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

const intro = `<!-- Written by make gen from the table of parameters. -->
# Parameters

Every parameter of Redis 7.2 has its name, kind, bounds and default here, so that a ` + "`redis.conf`" + `, tools and test suites work as they are.
What is set last wins: defaults, then the file, then the environment, then flags.

| where | how |
|---|---|
| file | the first argument; ` + "`-`" + ` reads standard input. ` + "`include`" + ` takes patterns, relative to the working directory; ` + "`rename-command`" + ` works as in Redis |
| environment | ` + "`COATCHECK_`" + ` and the name in capitals with underscores: ` + "`COATCHECK_MAXMEMORY_POLICY=allkeys-lru`" + `. Also ` + "`REDIS_HOST`" + ` (bind), ` + "`REDIS_PORT`" + `, ` + "`REDIS_PASSWORD`" + `; ` + "`COATCHECK_…`" + ` wins over them. Variables that hold a URL, as container platforms set them for a service, are no ports and ignored |
| flags | ` + "`--port 6379`" + ` or ` + "`--port=6379`" + `; a value that starts with two dashes needs the second form. ` + "`--save`" + ` without a value is ` + "`--save \"\"`" + ` |
| while running | ` + "`CONFIG SET`" + `, several at once or none; ` + "`CONFIG REWRITE`" + ` writes them to the file |

Directives of older and newer servers of the family that change nothing here are read with a warning. What is unknown, or asks for what the server
does not have, ends the start with file, line and reason.

Differences in values: sizes beyond 63 bits are refused, where Redis wraps around; ` + "`notify-keyspace-events`" + ` shows an ` + "`n`" + ` beside ` + "`A`" + `, which Redis forgets;
` + "`save`" + ` is empty for a store in a Go process; the server has ` + "`3600 1 300 100 60 10000`" + `.

`

func page(notes []config.Note) string {
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString("## In force\n\n| parameter | default | |\n|---|---|---|\n")
	for _, n := range notes {
		if n.Without == "" && len(n.Only) == 0 {
			row(&b, n, remark(n))
		}
	}
	b.WriteString("\n## Only as they are\n\nOther values are refused, since they would promise what is not there.\n\n| parameter | accepted | why |\n|---|---|---|\n")
	for _, n := range notes {
		if len(n.Only) > 0 {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name(n), accepted(n.Only), n.Refusal)
		}
	}
	b.WriteString("\n## Accepted without function\n\nKept, shown and written back, so that files and tools go on working.\n\n| parameter | default | why |\n|---|---|---|\n")
	for _, n := range notes {
		if n.Without != "" {
			row(&b, n, n.Without)
		}
	}
	return b.String()
}

func row(b *strings.Builder, n config.Note, why string) {
	def := ""
	if n.Default != "" {
		def = "`" + n.Default + "`"
	}
	fmt.Fprintf(b, "| %s | %s | %s |\n", name(n), def, why)
}

func name(n config.Note) string {
	if n.Alias != "" {
		return "`" + n.Name + "`, `" + n.Alias + "`"
	}
	return "`" + n.Name + "`"
}

func remark(n config.Note) string {
	var words []string
	if n.Ours {
		words = append(words, "not in Redis")
	}
	if n.Immutable {
		words = append(words, "at the start only")
	}
	return strings.Join(words, ", ")
}

func accepted(values []string) string {
	var words []string
	for _, v := range values {
		if v == "" {
			v = `""`
		}
		words = append(words, "`"+v+"`")
	}
	return strings.Join(words, ", ")
}
