package server

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/internal/pubsub"
	"coatcheck/resp"
)

const (
	subscribeFlags = command.PubSub | connFlags | command.InPubSub
	publishFlags   = command.PubSub | command.Loading | command.Stale | command.Fast | command.MayReplicate
	pubsubFlags    = command.PubSub | command.Loading | command.Stale
)

// shardChannels is the key spec of shard channels: they are routed like keys.
func shardChannels(last int) []command.KeySpec {
	return []command.KeySpec{{First: 1, Last: last, Step: 1, Flags: command.NotKey}}
}

var pubsubCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "SUBSCRIBE", Syntax: "channel...", Arity: -2, Flags: subscribeFlags, Channels: command.ChannelSpec{First: 1, Last: -1},
		Group: command.GroupPubSub, Since: "2.0.0", Complexity: "O(N) in the channels named",
		Summary: "Has messages to channels sent to this connection.",
	}, Run: subscribe},
	{Spec: command.Spec{
		Name: "UNSUBSCRIBE", Syntax: "[channel...]", Arity: -1, Flags: subscribeFlags,
		Group: command.GroupPubSub, Since: "2.0.0", Complexity: "O(N) in the channels given up",
		Summary: "Gives up channels, or all of them.",
	}, Run: unsubscribe},
	{Spec: command.Spec{
		Name: "PSUBSCRIBE", Syntax: "pattern:(pattern:pattern)...", Arity: -2, Flags: subscribeFlags,
		Channels: command.ChannelSpec{First: 1, Last: -1, Pattern: true},
		Group:    command.GroupPubSub, Since: "2.0.0", Complexity: "O(N) in the patterns named",
		Summary: "Has messages to all channels that match a pattern sent to this connection.",
	}, Run: psubscribe},
	{Spec: command.Spec{
		Name: "PUNSUBSCRIBE", Syntax: "[pattern:pattern...]", Arity: -1, Flags: subscribeFlags,
		Group: command.GroupPubSub, Since: "2.0.0", Complexity: "O(N) in the patterns given up, each with those that begin like it",
		Summary: "Gives up patterns, or all of them.",
	}, Run: punsubscribe},
	{Spec: command.Spec{
		Name: "SSUBSCRIBE", Syntax: "shardchannel...", Arity: -2, Flags: subscribeFlags, Keys: shardChannels(-1),
		Channels: command.ChannelSpec{First: 1, Last: -1},
		Group:    command.GroupPubSub, Since: "7.0.0", Complexity: "O(N) in the channels named",
		Summary: "Has messages to shard channels sent to this connection.",
	}, Run: ssubscribe},
	{Spec: command.Spec{
		Name: "SUNSUBSCRIBE", Syntax: "[shardchannel...]", Arity: -1, Flags: subscribeFlags, Keys: shardChannels(-1),
		Group: command.GroupPubSub, Since: "7.0.0", Complexity: "O(N) in the channels given up",
		Summary: "Gives up shard channels, or all of them.",
	}, Run: sunsubscribe},
	{Spec: command.Spec{
		Name: "PUBLISH", Syntax: "channel message", Arity: 3, Flags: publishFlags, Channels: command.ChannelSpec{First: 1},
		Group: command.GroupPubSub, Since: "2.0.0", Complexity: "O(N+M): N subscribers, and M patterns that begin as the channel does",
		Summary: "Sends a message to a channel's subscribers.",
	}, Run: publish},
	{Spec: command.Spec{
		Name: "SPUBLISH", Syntax: "shardchannel message", Arity: 3, Flags: publishFlags, Keys: shardChannels(0),
		Channels: command.ChannelSpec{First: 1},
		Group:    command.GroupPubSub, Since: "7.0.0", Complexity: "O(N) in the subscribers",
		Summary: "Sends a message to a shard channel's subscribers.",
	}, Run: spublish},
	{Spec: command.Spec{
		Name: "PUBSUB", Arity: -2,
		Group: command.GroupPubSub, Since: "2.8.0", Complexity: "That of its subcommands",
		Summary: "Who listens to what.",
	}, Subs: []command.Entry[*Client]{
		{Spec: command.Spec{
			Name: "CHANNELS", Syntax: "[pattern:pattern]", Arity: -2, Flags: pubsubFlags,
			Group: command.GroupPubSub, Since: "2.8.0", Complexity: "O(N) in the channels that have subscribers",
			Summary: "Lists the channels that have subscribers.",
		}, Run: pubsubChannels},
		helpIn("pubsub", command.GroupPubSub, "6.2.0"),
		{Spec: command.Spec{
			Name: "NUMPAT", Arity: 2, Flags: pubsubFlags,
			Group: command.GroupPubSub, Since: "2.8.0", Complexity: "O(1)",
			Summary: "Counts the different patterns that are subscribed to.",
		}, Run: pubsubNumPat},
		{Spec: command.Spec{
			Name: "NUMSUB", Syntax: "[channel...]", Arity: -2, Flags: pubsubFlags,
			Group: command.GroupPubSub, Since: "2.8.0", Complexity: "O(N) in the channels named",
			Summary: "Counts the subscribers of channels.",
		}, Run: pubsubNumSub},
		{Spec: command.Spec{
			Name: "SHARDCHANNELS", Syntax: "[pattern:pattern]", Arity: -2, Flags: pubsubFlags,
			Group: command.GroupPubSub, Since: "7.0.0", Complexity: "O(N) in the shard channels that have subscribers",
			Summary: "Lists the shard channels that have subscribers.",
		}, Run: pubsubShardChannels},
		{Spec: command.Spec{
			Name: "SHARDNUMSUB", Syntax: "[shardchannel...]", Arity: -2, Flags: pubsubFlags,
			Group: command.GroupPubSub, Since: "7.0.0", Complexity: "O(N) in the channels named",
			Summary: "Counts the subscribers of shard channels.",
		}, Run: pubsubShardNumSub},
	}},
}

// SUBSCRIBE channel [channel ...]
//
// Replies with an ack for each channel, also for one subscribed to before.
func subscribe(c *Client, in command.Args, out *resp.Reply) error {
	return c.subscribe(pubsub.Channel, "subscribe", in[1:], out)
}

// PSUBSCRIBE pattern [pattern ...]
func psubscribe(c *Client, in command.Args, out *resp.Reply) error {
	return c.subscribe(pubsub.Pattern, "psubscribe", in[1:], out)
}

// SSUBSCRIBE shardchannel [shardchannel ...]
func ssubscribe(c *Client, in command.Args, out *resp.Reply) error {
	return c.subscribe(pubsub.Shard, "ssubscribe", in[1:], out)
}

// UNSUBSCRIBE [channel [channel ...]]
//
// Replies with an ack for each channel named, without names for each that was
// subscribed to, and with one of null when there was none.
func unsubscribe(c *Client, in command.Args, out *resp.Reply) error {
	return c.unsubscribe(pubsub.Channel, "unsubscribe", in[1:], out)
}

// PUNSUBSCRIBE [pattern [pattern ...]]
func punsubscribe(c *Client, in command.Args, out *resp.Reply) error {
	return c.unsubscribe(pubsub.Pattern, "punsubscribe", in[1:], out)
}

// SUNSUBSCRIBE [shardchannel [shardchannel ...]]
func sunsubscribe(c *Client, in command.Args, out *resp.Reply) error {
	return c.unsubscribe(pubsub.Shard, "sunsubscribe", in[1:], out)
}

func (c *Client) subscribe(k pubsub.Kind, word string, names [][]byte, out *resp.Reply) error {
	for _, name := range names {
		c.srv.pubsub.Subscribe(&c.subs, k, name)
		c.ack(k, word, out, func(out *resp.Reply) { out.BulkString(name) })
	}
	return nil
}

func (c *Client) unsubscribe(k pubsub.Kind, word string, names [][]byte, out *resp.Reply) error {
	for _, name := range names {
		c.srv.pubsub.Unsubscribe(&c.subs, k, name)
		c.ack(k, word, out, func(out *resp.Reply) { out.BulkString(name) })
	}
	if len(names) > 0 {
		return nil
	}
	all := c.subs.Names(k)
	for _, name := range all {
		c.srv.pubsub.Unsubscribe(&c.subs, k, []byte(name))
		c.ack(k, word, out, func(out *resp.Reply) { out.BulkText(name) })
	}
	if len(all) == 0 {
		c.ack(k, word, out, (*resp.Reply).Null)
	}
	return nil
}

// ack says that a subscription has begun or ended, and how many the client has
// now: of shard channels, or of channels and patterns together. As all that is
// pushed it is said also when CLIENT REPLY is off.
func (c *Client) ack(k pubsub.Kind, word string, out *resp.Reply, name func(*resp.Reply)) {
	n := c.subs.Count(pubsub.Shard)
	if k != pubsub.Shard {
		n = c.subs.Count(pubsub.Channel) + c.subs.Count(pubsub.Pattern)
	}
	if c.isMute() {
		out = c.aside()
	}
	out.Push(3)
	out.BulkText(word)
	name(out)
	out.Int(int64(n))
}

// PUBLISH channel message
//
// Replies with the number of subscriptions that the message went to.
func publish(c *Client, in command.Args, out *resp.Reply) error {
	out.Int(c.srv.publish(pubsub.Channel, in[1], in[2]))
	c.srv.repl.propagate(c.db, in...)
	return nil
}

// SPUBLISH shardchannel message
func spublish(c *Client, in command.Args, out *resp.Reply) error {
	out.Int(c.srv.publish(pubsub.Shard, in[1], in[2]))
	c.srv.repl.propagate(c.db, in...)
	return nil
}

// PUBSUB CHANNELS [pattern]
func pubsubChannels(c *Client, in command.Args, out *resp.Reply) error {
	return c.listTopics(pubsub.Channel, in, out)
}

// PUBSUB SHARDCHANNELS [pattern]
func pubsubShardChannels(c *Client, in command.Args, out *resp.Reply) error {
	return c.listTopics(pubsub.Shard, in, out)
}

func (c *Client) listTopics(k pubsub.Kind, in command.Args, out *resp.Reply) error {
	if len(in) > 3 {
		return errs.SubcommandSyntax("PUBSUB", in[1])
	}
	list, n := out.DeferArray(), 0
	c.srv.pubsub.EachTopic(k, func(t *topic) {
		if len(in) == 2 || engine.Match(in[2], []byte(t.Name)) {
			out.BulkText(t.Name)
			n++
		}
	})
	out.EndArray(list, n)
	return nil
}

// PUBSUB NUMPAT
func pubsubNumPat(c *Client, _ command.Args, out *resp.Reply) error {
	out.Int(int64(c.srv.pubsub.Count(pubsub.Pattern)))
	return nil
}

// PUBSUB NUMSUB [channel [channel ...]]
//
// Replies with channels and numbers of subscribers in turn.
func pubsubNumSub(c *Client, in command.Args, out *resp.Reply) error {
	return c.countSubscribers(pubsub.Channel, in[2:], out)
}

// PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]
func pubsubShardNumSub(c *Client, in command.Args, out *resp.Reply) error {
	return c.countSubscribers(pubsub.Shard, in[2:], out)
}

func (c *Client) countSubscribers(k pubsub.Kind, names [][]byte, out *resp.Reply) error {
	out.Array(2 * len(names))
	for _, name := range names {
		n := 0
		if t := c.srv.pubsub.Find(k, name); t != nil {
			n = t.Len()
		}
		out.BulkString(name)
		out.Int(int64(n))
	}
	return nil
}
