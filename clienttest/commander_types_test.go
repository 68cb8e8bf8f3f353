package clienttest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// commanderKey is a key of one type as Redis Commander shows and edits it.
type commanderKey struct {
	name  string // below "types:", and what its type is called in COMMAND's groups
	title string // how Redis Commander calls the type
	shows []string
	edits []commanderEdit
}

// commanderEdit is one change in the browser and what the server holds then.
type commanderEdit struct {
	what string
	do   func(b *browser)
	want any
}

// In Redis Commander a key of every type is opened, shown, edited as far as it can, and
// deleted.
func TestRedisCommanderTypes(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	admin := s.Admin(t)
	seedTypes(t, admin)
	b := newBrowser(t)
	b.do("open", chromedp.Navigate(startCommander(t, s)))
	b.signIn()
	b.waitText("#keyTree", "types:* (6)")
	// Dialogs that come and go at once: there are many.
	ask(b, "no animations", chromedp.Evaluate[bool](`jQuery.fx.off = true; jQuery.support.transition = false; true`))
	b.click("#keyTree .jstree-closed > .jstree-ocl")

	for _, k := range commanderKeys() {
		open := func() {
			b.click(fmt.Sprintf(`#keyTree .jstree-node[id$=":%s"] > a`, k.name))
			b.waitText("#itemData", "Key: types:"+k.name)
			b.waitText("#itemData", "Type: "+k.title)
		}
		open()
		for _, text := range k.shows {
			b.waitText("#itemData", text)
		}
		if k.name == "string" {
			require.Equal(t, "text", ask(b, "value", chromedp.Value(css("#stringValue"))))
		}
		b.screenshot("redis-commander-" + k.name + ".png")
		for i, e := range k.edits {
			if i > 0 {
				open()
			}
			e.do(b)
			eventually(t, func() bool { return fmt.Sprint(e.want) == fmt.Sprint(held(t.Context(), admin, k.name)) }, "%s of a %s: %v",
				e.what, k.name, lazy(func() string { return fmt.Sprint(held(t.Context(), admin, k.name)) }))
			b.waitStill("#keyTree")
		}
		open()
		b.click("#itemActionsBar .btn-danger")
		eventually(t, func() bool { return admin.Exists(t.Context(), "types:"+k.name).Val() == 0 }, "the %s is deleted", k.name)
		require.Contains(t, b.said()[len(b.said())-1], fmt.Sprintf("delete %q", "types:"+k.name))
		b.waitStill("#keyTree")
	}
	require.Empty(t, b.failures)
	require.Zero(t, admin.DBSize(t.Context()).Val())
}

// seedTypes makes a key of every type.
func seedTypes(t *testing.T, admin *redis.Client) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, admin.Set(ctx, "types:string", "text", time.Hour).Err())
	require.NoError(t, admin.HSet(ctx, "types:hash", "name", "Zoë", "age", "42").Err())
	require.NoError(t, admin.RPush(ctx, "types:list", "first", "second", "third").Err())
	require.NoError(t, admin.SAdd(ctx, "types:set", "member").Err())
	require.NoError(t, admin.ZAdd(ctx, "types:zset", redis.Z{Score: 1.5, Member: "low"}, redis.Z{Score: 20, Member: "high"}).Err())
	require.NoError(t, admin.XAdd(ctx, &redis.XAddArgs{Stream: "types:stream", ID: "1700000000000-0", Values: []any{"field", "value"}}).Err())
}

// held is what a key holds, in an order that does not change.
func held(ctx context.Context, admin *redis.Client, name string) any {
	key := "types:" + name
	switch name {
	case "string":
		return admin.Get(ctx, key).Val()
	case "hash":
		return admin.HGetAll(ctx, key).Val()
	case "list":
		return admin.LRange(ctx, key, 0, -1).Val()
	case "set":
		return slices.Sorted(slices.Values(admin.SMembers(ctx, key).Val()))
	case "zset":
		return admin.ZRangeWithScores(ctx, key, 0, -1).Val()
	default:
		return admin.XRange(ctx, key, "-", "+").Val()
	}
}

// edit opens the dialog of the row that shows text, sets fields and presses a button.
func edit(text, button string, fields ...string) func(b *browser) {
	return func(b *browser) {
		b.t.Helper()
		b.waitText("#itemData tbody", text)
		row := ask(b, "row of "+text, chromedp.Evaluate[int](fmt.Sprintf(
			`[...document.querySelectorAll("#itemData tbody tr")].findIndex((row) => row.innerText.includes(%q))`, text)))
		sel := fmt.Sprintf("#itemData tbody tr:nth-child(%d) td", row+1)
		b.waitStill(sel)
		b.do("open row", chromedp.DoubleClick(css(sel)))
		setAndPress(b, button, fields)
	}
}

// add opens the dialog for something new, sets fields and presses a button.
func add(button string, fields ...string) func(b *browser) {
	return func(b *browser) {
		b.t.Helper()
		b.click("#itemActionsBar button[data-toggle=modal]")
		setAndPress(b, button, fields)
	}
}

// setAndPress fills pairs of an element and its value, and presses a button.
func setAndPress(b *browser, button string, fields []string) {
	b.t.Helper()
	b.do("see "+button, chromedp.WaitVisible(css(button)))
	b.waitStill(button)
	for i := 0; i < len(fields); i += 2 {
		b.do("set "+fields[i], chromedp.SetValue(css(fields[i]), fields[i+1]))
	}
	b.click(button)
}

// commanderKeys are the keys of seedTypes.
func commanderKeys() []commanderKey {
	entry := redis.XMessage{ID: "1700000000000-0", Values: map[string]any{"field": "value"}}
	later := redis.XMessage{ID: "1800000000000-1", Values: map[string]any{"another": "entry"}}
	return []commanderKey{
		{"string", "string", []string{"TTL: "}, []commanderEdit{
			{"edit", func(b *browser) { setAndPress(b, "#itemData #saveKeyButton", []string{"#stringValue", "other text"}) }, "other text"},
		}},
		{"hash", "Hash", []string{"TTL: -1", "name", "Zoë", "age", "42"}, []commanderEdit{
			{"edit", edit("name", "#editHashFieldButton", "#hashFieldValue", "Zoé"), map[string]string{"name": "Zoé", "age": "42"}},
			{"add", add("#saveHashFieldButton", "#addHashFieldName", "city", "#addHashFieldValue", "Ulm"), map[string]string{"name": "Zoé", "age": "42", "city": "Ulm"}},
			{"remove", edit("age", "#removeHashFieldButton"), map[string]string{"name": "Zoé", "city": "Ulm"}},
		}},
		{"list", "List", []string{"(3 Items)", "first", "second", "third"}, []commanderEdit{
			{"edit", edit("second", "#editListValueButton", "#listValue", "2nd"), []string{"first", "2nd", "third"}},
			{"add", add("#saveValueButton", "#addListValue", "zeroth"), []string{"zeroth", "first", "2nd", "third"}},
			{"remove", edit("first", "#removeListValueButton"), []string{"zeroth", "2nd", "third"}},
		}},
		{"set", "Set", []string{"(1 Members)", "member"}, []commanderEdit{
			{"edit", edit("member", "#editSetMemberButton", "#setMember", "changed"), []string{"changed"}},
			{"add", add("#saveMemberButton", "#addSetMemberName", "new"), []string{"changed", "new"}},
			{"remove", edit("changed", "#removeSetMemberButton"), []string{"new"}},
		}},
		{"zset", "Sorted Set", []string{"(2 Members)", "1.5", "low", "20", "high"}, []commanderEdit{
			{"edit", edit("high", "#editZSetValueButton", "#zSetScore", "0.5", "#zSetValue", "lowest"), []redis.Z{{Score: 0.5, Member: "lowest"}, {Score: 1.5, Member: "low"}}},
			{"add", add("#saveZMemberButton", "#addZSetScore", "7", "#addZSetMemberName", "new"), []redis.Z{{Score: 0.5, Member: "lowest"}, {Score: 1.5, Member: "low"}, {Score: 7, Member: "new"}}},
			{"remove", edit("new", "#removeZSetValueButton"), []redis.Z{{Score: 0.5, Member: "lowest"}, {Score: 1.5, Member: "low"}}},
		}},
		{"stream", "Stream", []string{"(1 Entries)", "1700000000000-0", "field", "value"}, []commanderEdit{
			{"add", add("#saveXMemberButton", "#addXSetTimestamp", later.ID, "#addXSetField", "another", "#addXSetValue", "entry"), []redis.XMessage{entry, later}},
			{"remove", func(b *browser) { b.click("#itemData tbody tr:nth-child(1) .btn-remove") }, []redis.XMessage{later}},
		}},
	}
}
