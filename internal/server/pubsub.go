package server

import (
	"slices"

	"coatcheck/internal/pubsub"
	"coatcheck/resp"
)

// Messages. PUBLISH finds the subscribers and appends the message to what each
// has been told (Client.pushed), under the engine's lock; the transports move it
// into the reply buffers and send it, later and aside. A message to several
// subscribers is encoded once for each protocol, and what they were told refers
// to the same bytes.
//
// What a client is told because of its own command comes behind that command's
// reply (Redis 7.2).

type topic = pubsub.Topic[*Client]

// publish sends a message to a channel's subscribers and, unless it is a shard
// channel, to those of matching patterns. It returns how many it went to.
// channel and payload are not kept.
func (s *Server) publish(k pubsub.Kind, channel, payload []byte) int64 {
	n := 0
	s.pubsub.Reached(k, channel, func(t *topic) {
		n += t.Len()
		s.deliver(t, &message{topic: t, channel: channel, payload: payload})
	})
	return int64(n)
}

func (s *Server) deliver(t *topic, m *message) {
	if t.Len() == 1 {
		t.Each(func(c *Client) {
			if c.isListening() {
				m.write(c.aside())
				s.told(c)
			}
		})
		return
	}
	t.Each(func(c *Client) {
		if c.isListening() {
			c.aside().AppendShared(m.encoded(c.proto))
			s.told(c)
		}
	})
}

// message is one on its way to the subscribers of a topic.
type message struct {
	topic            *topic
	channel, payload []byte
	resp2, resp3     []byte // encoded; nil until somebody needs it
}

func (m *message) write(out *resp.Reply) {
	switch m.topic.Kind {
	case pubsub.Pattern:
		out.Push(4)
		out.BulkText("pmessage")
		out.BulkText(m.topic.Name)
	case pubsub.Shard:
		out.Push(3)
		out.BulkText("smessage")
	default:
		out.Push(3)
		out.BulkText("message")
	}
	out.BulkString(m.channel)
	out.BulkString(m.payload)
}

func (m *message) encoded(proto int) []byte {
	enc := &m.resp2
	if proto == 3 {
		enc = &m.resp3
	}
	if *enc == nil {
		r := resp.Reply{Proto: proto}
		m.write(&r)
		*enc = slices.Clone(r.Bytes())
		r.Reset()
	}
	return *enc
}

// isListening says whether there is still somebody to tell.
func (c *Client) isListening() bool { return !c.closing && !c.closeAfterReply }

// aside is where others say something to the client. Server.told must be called
// afterwards.
func (c *Client) aside() *resp.Reply {
	c.pushed.Proto = c.proto
	return &c.pushed
}

// told has the client's transport send what it was told, or closes the client
// when it does not read.
func (s *Server) told(c *Client) {
	if s.checkOutput(c); c != s.running {
		c.wake()
	}
}
