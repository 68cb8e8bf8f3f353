package server

import (
	"fmt"
	"strings"
)

// Table is the variables and the rules in Markdown, as docs/bff.md has them.
func Table() string {
	var b strings.Builder
	b.WriteString("| variable | default | |\n|---|---|---|\n")
	for _, v := range Variables {
		def := ""
		if v.Default != "" {
			def = "`" + v.Default + "`"
		}
		help := v.Help
		if v.Secret {
			help += " Or `" + v.Name + "_FILE`."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.Name, def, help)
	}
	return b.String()
}

// RulesTable is Rules in Markdown.
func RulesTable() string {
	var b strings.Builder
	b.WriteString("| rule | |\n|---|---|\n")
	for _, r := range Rules {
		fmt.Fprintf(&b, "| `%s` | %s |\n", r.Name, r.Help)
	}
	return b.String()
}
