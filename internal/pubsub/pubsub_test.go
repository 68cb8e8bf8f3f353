package pubsub

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"coatcheck/engine"
)

// check fails when the registry's parts do not fit each other.
func (r *Registry[S]) check(t require.TestingT, all []*Subscriber[S]) {
	var subs [kinds]int
	for k := range r.topics {
		for name, topic := range r.topics[k] {
			require.Equal(t, name, topic.Name)
			require.NotEmpty(t, topic.subs, "a topic without subscribers")
			for i, sub := range topic.subs {
				require.Equal(t, i, sub.at)
				require.Same(t, topic, sub.topic)
				require.Same(t, sub, sub.owner.subs[k][name])
			}
			subs[k] += len(topic.subs)
		}
	}
	for k := range kinds {
		n := 0
		for _, s := range all {
			n += s.Count(Kind(k))
		}
		require.Equal(t, n, subs[k])
	}
	var lengths [maxPrefix + 1]int
	n := 0
	for p, topics := range r.prefixes.byPrefix {
		lengths[len(p)]++
		require.NotEmpty(t, topics)
		n += len(topics)
	}
	require.Equal(t, lengths, r.prefixes.lengths)
	require.Equal(t, len(r.topics[Pattern]), n)
}

// Random subscriptions are what a plain map says they are, and a message reaches
// whom a look at every pattern finds.
func TestRegistryModel(t *testing.T) {
	names := []string{"", "a", "ab", "abc", "b", "a*", "*", "a?", "[ab]*", `a\*`, "ab*", "?", "abc*", strings.Repeat("x", 70), strings.Repeat("x", 70) + "*"}
	rapid.Check(t, func(t *rapid.T) {
		type key struct {
			who  int
			k    Kind
			name string
		}
		var r Registry[int]
		subs := make([]*Subscriber[int], 4)
		for i := range subs {
			subs[i] = &Subscriber[int]{Owner: i}
		}
		var model []key
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			at := key{rapid.IntRange(0, 3).Draw(t, "who"), Kind(rapid.IntRange(0, 2).Draw(t, "kind")), rapid.SampledFrom(names).Draw(t, "name")}
			has := slices.Contains(model, at)
			switch rapid.IntRange(0, 4).Draw(t, "do") {
			case 0, 1:
				require.Equal(t, !has, r.Subscribe(subs[at.who], at.k, []byte(at.name)))
				if !has {
					model = append(model, at)
				}
			case 2:
				require.Equal(t, has, r.Unsubscribe(subs[at.who], at.k, []byte(at.name)))
				model = slices.DeleteFunc(model, func(o key) bool { return o == at })
			case 3:
				r.UnsubscribeAll(subs[at.who])
				model = slices.DeleteFunc(model, func(o key) bool { return o.who == at.who })
			case 4:
				kind := at.k
				if kind == Pattern {
					kind = Channel
				}
				var want, got []string
				for _, m := range model {
					if m.k == kind && m.name == at.name || kind == Channel && m.k == Pattern && engine.Match([]byte(m.name), []byte(at.name)) {
						want = append(want, fmt.Sprint(m))
					}
				}
				r.Reached(kind, []byte(at.name), func(topic *Topic[int]) {
					topic.Each(func(who int) { got = append(got, fmt.Sprint(key{who, topic.Kind, topic.Name})) })
				})
				require.ElementsMatch(t, want, got)
			}
			r.check(t, subs)
			for who, s := range subs {
				for k := range Kind(kinds) {
					var want []string
					for _, m := range model {
						if m.who == who && m.k == k {
							want = append(want, m.name)
						}
					}
					require.Equal(t, len(want), s.Count(k))
					require.Equal(t, want, append([]string(nil), s.Names(k)...))
				}
			}
		}
	})
}

func BenchmarkReached(b *testing.B) {
	for _, c := range []struct{ name, pattern string }{{"prefix", "user:%d:*"}, {"wildcard", "*:%d"}} {
		b.Run(c.name, func(b *testing.B) {
			var r Registry[int]
			var s Subscriber[int]
			for i := range 10000 {
				r.Subscribe(&s, Pattern, fmt.Appendf(nil, c.pattern, i))
			}
			channel, n := []byte("user:777:x:777"), 0
			b.ReportAllocs()
			for b.Loop() {
				r.Reached(Channel, channel, func(*Topic[int]) { n++ })
			}
		})
	}
}
