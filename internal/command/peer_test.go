package command_test

import (
	"strings"
	"testing"

	"coatcheck/internal/command"
	"coatcheck/internal/command/commandtest"
	"coatcheck/resp"
)

func dataDirectory() (*command.Directory, []command.Entry[struct{}]) {
	var dir *command.Directory
	family := command.Introspection(func(struct{}) *command.Directory { return dir })
	dir = command.NewDirectory(command.Describe(command.Data()), command.Describe(family))
	return dir, family
}

func TestTableIsRedis(t *testing.T) {
	dir, _ := dataDirectory()
	commandtest.CompareWithRedis(t, dir)
}

func TestKeysAreRedis(t *testing.T) {
	dir, family := dataDirectory()
	commandtest.CompareKeysWithRedis(t, dir, func(in command.Args, out *resp.Reply) error {
		for _, sub := range family[0].Subs {
			if strings.EqualFold(sub.Name, string(in[1])) {
				return sub.Run(struct{}{}, in, out)
			}
		}
		t.Fatalf("no subcommand %s", in[1])
		return nil
	})
}
