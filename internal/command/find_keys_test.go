package command_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/command"
	"coatcheck/internal/realredis"
	"coatcheck/resp"
)

const rw = command.RW | command.Access

// movable is the ways in which keys stand at no fixed place.
var movable = []command.Spec{
	{Name: "EVAL", Arity: -3, Flags: command.NoMandatoryKeys, Searches: []command.KeySearch{{Begin: 2, Counted: true, Flags: rw | command.Update}}},
	{Name: "LMPOP", Arity: -4, Searches: []command.KeySearch{{Begin: 1, Counted: true, Flags: rw | command.Delete}}},
	{
		Name: "ZUNIONSTORE", Arity: -4, Keys: []command.KeySpec{{First: 1, Last: 0, Step: 1, Flags: command.OW | command.Update}},
		Searches: []command.KeySearch{{Begin: 2, Counted: true, Flags: command.RO | command.Access}},
	},
	{Name: "XREAD", Arity: -4, Searches: []command.KeySearch{{Word: "STREAMS", Begin: 1, Last: -1, Limit: 2, Flags: command.RO | command.Access}}},
	{
		Name: "SORT", Arity: -2, KeysOf: command.SortKeys,
		Keys:     []command.KeySpec{{First: 1, Last: 0, Step: 1, Flags: command.RO | command.Access}},
		Searches: []command.KeySearch{{Flags: command.RO | command.Access}, {Flags: command.OW | command.Update}},
	},
	{
		Name: "SORT_RO", Arity: -2, KeysOf: command.SortROKeys,
		Keys:     []command.KeySpec{{First: 1, Last: 0, Step: 1, Flags: command.RO | command.Access}},
		Searches: []command.KeySearch{{Flags: command.RO | command.Access}},
	},
	{
		Name: "GEORADIUS", Arity: -6, KeysOf: command.GeoRadiusKeys,
		Keys: []command.KeySpec{{First: 1, Last: 0, Step: 1, Flags: command.RO | command.Access}},
		Searches: []command.KeySearch{
			{Word: "STORE", Begin: 6, Flags: command.OW | command.Update}, {Word: "STOREDIST", Begin: 6, Flags: command.OW | command.Update},
		},
	},
	{
		Name: "MIGRATE", Arity: -6, KeysOf: command.MigrateKeys,
		Keys:     []command.KeySpec{{First: 3, Last: 0, Step: 1, Flags: rw | command.Delete}},
		Searches: []command.KeySearch{{Word: "KEYS", Begin: -2, Last: -1, Flags: rw | command.Delete | command.Incomplete}},
	},
	{Name: "SPUBLISH", Arity: 3, Keys: []command.KeySpec{{First: 1, Last: 0, Step: 1, Flags: command.NotKey}}},
}

// words is what calls of movable are made of.
var words = strings.Fields(`a b c d 0 1 2 3 -1 2x +2 99999999999999999999 4294967297 STORE storedist STREAMS KEYS keys GET BY LIMIT AUTH AUTH2 COPY ""`)

func randomCall(rng *rand.Rand, name string) []string {
	call := []string{name}
	for range rng.IntN(11) {
		w := words[rng.IntN(len(words))]
		if w == `""` {
			w = ""
		}
		call = append(call, w)
	}
	return call
}

// Random calls have the keys that a real server finds in them, and rows of COMMAND
// INFO tell the same key specs.
func TestMovableKeysAreRedis(t *testing.T) {
	peer := realredis.Start(t)
	entries := make([]command.Entry[struct{}], len(movable))
	for i := range movable {
		entries[i].Spec = movable[i]
	}
	var dir *command.Directory
	family := command.Introspection(func(struct{}) *command.Directory { return dir })
	dir = command.NewDirectory(command.Describe(entries), command.Describe(family))
	handlers := map[string]func(struct{}, command.Args, *resp.Reply) error{}
	for _, sub := range family[0].Subs {
		handlers[sub.Name] = sub.Run
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1500 {
		call := randomCall(rng, movable[rng.IntN(len(movable))].Name)
		if len(call) < 2 { // 7.0 refuses these
			continue
		}
		question := append([]string{"COMMAND", "GETKEYSANDFLAGS"}, call...)
		require.Equal(t, peer.Do(t, question...), ask(handlers["GETKEYSANDFLAGS"], question), "%q", question)
	}
	for _, s := range movable {
		want := specsOf(t, peer.Do(t, "COMMAND", "INFO", s.Name))
		require.Equal(t, want, specsOf(t, ask(handlers["INFO"], []string{"COMMAND", "INFO", s.Name})), s.Name)
	}
}

func ask(run func(struct{}, command.Args, *resp.Reply) error, words []string) string {
	var in command.Args
	for _, w := range words {
		in = append(in, []byte(w))
	}
	out := &resp.Reply{Proto: 2}
	if err := run(struct{}{}, in, out); err != nil {
		return "-" + err.Error() + "\r\n"
	}
	return string(out.Bytes())
}

// specsOf tells the legacy range, whether keys move, and the key specs without notes.
func specsOf(t *testing.T, reply string) string {
	t.Helper()
	v, err := resp.NewDecoder(strings.NewReader(reply)).Decode()
	require.NoError(t, err)
	row := v.Elems[0].Elems
	for i, spec := range row[8].Elems {
		if spec.Elems[0].Text == "notes" {
			row[8].Elems[i].Elems = spec.Elems[2:]
		}
	}
	return fmt.Sprint(row[3], row[4], row[5], strings.Contains(row[2].String(), "movablekeys"), row[8])
}
