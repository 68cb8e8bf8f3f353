package acl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/command"
)

// What is written of a user makes the same user again, whatever rules it is of.
func FuzzUsersComeBack(f *testing.F) {
	f.Add("on >pass ~a* %R~b &c +get -set +@read (+set ~d)")
	f.Add("nopass allkeys (%W~\"x +@all) +config|get")
	f.Add("~\\ %RW~'x' &\" (~')(")
	commands := NewCommands(command.NewDirectory(command.Describe(command.Data())))
	f.Fuzz(func(t *testing.T, text string) {
		us := NewUsers(commands)
		staged, err := us.Stage("u", strings.Fields(text))
		if err != nil {
			return
		}
		us.Commit(staged)
		want := us.Get("u").String()
		again := NewUsers(commands)
		_, err = again.Load("file", us.FileContent())
		require.NoError(t, err, "%q", us.FileContent())
		require.Equal(t, want, again.Get("u").String())
	})
}
