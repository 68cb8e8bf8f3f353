package server_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/command"
	"coatcheck/internal/command/commandtest"
	"coatcheck/internal/server/servertest"
	"coatcheck/resp"
)

func TestCommandTellsOfTheWholeTable(t *testing.T) {
	srv := servertest.Start(t, nil)
	commandtest.CompareWithRedis(t, srv.Table().Directory())
}

func TestCommandGetKeysOfTheWholeTable(t *testing.T) {
	srv := servertest.Start(t, nil)
	dir := srv.Table().Directory()
	family := command.Introspection(func(struct{}) *command.Directory { return dir })
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

// Over a socket, the way redis-cli asks.
func TestCommandOverASocket(t *testing.T) {
	srv := servertest.Start(t, nil)
	conn := servertest.Dial(t, srv)
	replies := resp.NewDecoder(conn)
	ask := func(words ...string) resp.Value {
		t.Helper()
		_, err := conn.Write(resp.AppendCommand(nil, words...))
		require.NoError(t, err)
		v, err := replies.Decode()
		require.NoError(t, err)
		return v
	}
	count := ask("COMMAND", "COUNT").Int
	require.Equal(t, len(srv.Table().All()), int(count))
	require.Len(t, ask("COMMAND").Elems, int(count))
	require.Len(t, ask("COMMAND", "DOCS").Elems, 2*int(count))
	require.Equal(t, "*[$\"k\"]", ask("COMMAND", "GETKEYS", "GET", "k").String())
	require.Equal(t, "-ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP.", ask("COMMAND", "NOSUCH").String())
}
