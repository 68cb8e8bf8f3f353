package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/config"
	"coatcheck/internal/server"
	"coatcheck/resp"
)

// hello3 switches to RESP3.
func (p *peer) hello3() {
	p.t.Helper()
	p.send("HELLO 3\r\n")
	_, err := resp.NewDecoder(p.r).Decode()
	require.NoError(p.t, err)
}

// ack is an acknowledgement in RESP2.
func ack(word, name string, n int) string {
	return "*3\r\n" + bulk(word) + bulk(name) + fmt.Sprintf(":%d\r\n", n)
}

func message(channel, payload string) string {
	return "*3\r\n" + bulk("message") + bulk(channel) + bulk(payload)
}

// A message reaches everybody who subscribed, in both protocols, whole and in
// order, whatever its size.
func TestManySubscribers(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		var subs []*peer
		var old []bool
		for i := range 60 {
			p := dial()
			if i%3 == 0 {
				p.hello3()
			}
			want := ack("subscribe", "news", 1)
			if i%3 == 0 {
				want = ">" + want[1:]
			}
			p.ask("SUBSCRIBE news\r\n", want)
			subs, old = append(subs, p), append(old, i%3 != 0)
		}
		pub := dial()
		var want string
		for i, size := range []int{10, 1, 970, 979, 1024, 3000, 5000, 100000, 0, 65536 - 40, 20} {
			payload := strings.Repeat(string(rune('a'+i)), size)
			pub.ask("*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n"+bulk(payload), ":60\r\n")
			want += message("news", payload)
		}
		want3 := strings.ReplaceAll(want, "*3\r\n$7\r\nmessage", ">3\r\n$7\r\nmessage")
		for i, p := range subs {
			if old[i] {
				p.expect(want)
			} else {
				p.expect(want3)
			}
		}
	})
}

// What a client says to itself comes behind the reply of the command that said it.
func TestMessageToItself(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		p.hello3()
		push := ">" + message("a", "x")[1:]
		p.ask("SUBSCRIBE a\r\nPUBLISH a x\r\nPING\r\n", ">"+ack("subscribe", "a", 1)[1:]+":1\r\n"+push+"+PONG\r\n")
	})
}

// A subscriber that does not read is closed by the limits of its class.
func TestSlowSubscriberIsClosed(t *testing.T) {
	var log logged
	each(t, func(o *server.Options) {
		log.into(o)
		o.Config.OutputLimits[config.ClassPubSub] = config.OutputLimit{Hard: 8 << 20}
	}, func(t *testing.T, srv *server.Server, dial func() *peer) {
		slow, reader, pub := dial(), dial(), dial()
		id := slow.id()
		slow.ask("SUBSCRIBE a\r\n", ack("subscribe", "a", 1))
		reader.ask("SUBSCRIBE a\r\n", ack("subscribe", "a", 1))
		payload := strings.Repeat("v", 60000)
		ask := "*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n" + bulk(payload)
		for range 500 {
			pub.send(ask)
			require.Contains(t, []string{":1\r\n", ":2\r\n"}, pub.line())
			reader.expect(message("a", payload))
		}
		pub.untilGone(id)
		require.Contains(t, log.String(), fmt.Sprintf("id=%d ", id))
		pub.ask("PUBSUB NUMSUB a\r\n", "*2\r\n"+bulk("a")+":1\r\n")
	})
}

// A killed subscriber is none at once.
func TestKilledSubscriber(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		sub, p := dial(), dial()
		sub.ask("SUBSCRIBE a\r\nPSUBSCRIBE a*\r\n", ack("subscribe", "a", 1)+ack("psubscribe", "a*", 2))
		p.ask("CLIENT KILL TYPE pubsub\r\nPUBLISH a x\r\nPUBSUB NUMPAT\r\n", ":1\r\n:0\r\n:0\r\n")
		sub.expectClosed()
	})
}

// Subscribers that come and go leave nothing behind.
func TestSubscribersLeaveNothing(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		for i := range 20 {
			sub := dial()
			sub.ask(fmt.Sprintf("SUBSCRIBE a c%d\r\nPSUBSCRIBE p%d*\r\n", i, i),
				ack("subscribe", "a", 1)+ack("subscribe", fmt.Sprintf("c%d", i), 2)+ack("psubscribe", fmt.Sprintf("p%d*", i), 3))
			sub.Close()
		}
		until(t, "only the first client is left", func() bool { return srv.Counts().Clients == 1 })
		p.ask("PUBSUB CHANNELS\r\nPUBSUB NUMPAT\r\nPUBLISH a x\r\n", "*0\r\n:0\r\n:0\r\n")
	})
}

// Evicted keys are told of.
func TestEvictedNotification(t *testing.T) {
	each(t, func(o *server.Options) { o.Config.NotifyEvents, o.Config.MaxMemoryPolicy = "Ee", "allkeys-lru" },
		func(t *testing.T, srv *server.Server, dial func() *peer) {
			sub, p := dial(), dial()
			sub.ask("SUBSCRIBE __keyevent@0__:evicted\r\n", ack("subscribe", "__keyevent@0__:evicted", 1))
			p.ask("SET k v\r\nCONFIG SET maxmemory 1\r\nGET k\r\n", "+OK\r\n+OK\r\n$-1\r\n")
			sub.expect(message("__keyevent@0__:evicted", "k"))
			p.ask("CONFIG SET maxmemory 0\r\n", "+OK\r\n")
		})
}
