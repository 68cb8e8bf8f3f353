package server

import (
	"fmt"
	"strings"

	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// The subcommands of CLIENT about client-side caching; see tracking.go.
var trackingSubcommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "CACHING", Syntax: "mode:<YES | NO>", Arity: 3, Flags: connFlags,
		Group: command.GroupConnection, Since: "6.0.0", Complexity: "O(1)",
		Summary: "Says whether the keys of the next command are remembered.",
	}, Run: clientCaching},
	{Spec: command.Spec{
		Name: "GETREDIR", Arity: 2, Flags: connFlags,
		Group: command.GroupConnection, Since: "6.0.0", Complexity: "O(1)",
		Summary: "Returns the client that this connection's tracking messages go to.",
	}, Run: clientGetRedir},
	{Spec: command.Spec{
		Name: "TRACKING", Arity: -3, Flags: connFlags,
		Syntax: "status:<ON | OFF> [REDIRECT client-id:integer] [PREFIX prefix]... [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
		Group:  command.GroupConnection, Since: "6.0.0", Complexity: "O(1); O(N) in the prefixes",
		Summary: "Has this connection told when keys change that it has read.",
	}, Run: clientTracking},
	{Spec: command.Spec{
		Name: "TRACKINGINFO", Arity: 2, Flags: connFlags,
		Group: command.GroupConnection, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Tells how this connection tracks keys.",
	}, Run: clientTrackingInfo},
}

var (
	errCachingOff  = &errs.Error{Code: "ERR", Text: "CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"}
	errCachingYes  = &errs.Error{Code: "ERR", Text: "CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."}
	errCachingNo   = &errs.Error{Code: "ERR", Text: "CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."}
	errOneRedirect = &errs.Error{Code: "ERR", Text: "A client can only redirect to a single other client"}
	errNoRedirect  = &errs.Error{Code: "ERR", Text: "The client ID you want redirect to does not exist"}
	errPrefixBcast = &errs.Error{Code: "ERR", Text: "PREFIX option requires BCAST mode to be enabled"}
	errSwitchBcast = &errs.Error{Code: "ERR", Text: "You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode."}
	errOptBcast    = &errs.Error{Code: "ERR", Text: "OPTIN and OPTOUT are not compatible with BCAST"}
	errOptBoth     = &errs.Error{Code: "ERR", Text: "You can't specify both OPTIN mode and OPTOUT mode"}
	errSwitchOpt   = &errs.Error{Code: "ERR", Text: "You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode."}
)

func errPrefixOverlap(prefix, other, kind string) error {
	return &errs.Error{Code: "ERR", Text: fmt.Sprintf("Prefix '%s' overlaps with %s prefix '%s'. Prefixes for a single client must not overlap.",
		errs.Shown([]byte(prefix), len(prefix)), kind, errs.Shown([]byte(other), len(other)))}
}

// CLIENT CACHING <YES | NO>
//
// Holds for the next command, or the next transaction.
func clientCaching(c *Client, in command.Args, out *resp.Reply) error {
	t := c.tracking
	switch {
	case t == nil:
		return errCachingOff
	case equalFold(in[2], "YES"):
		if !t.optin {
			return errCachingYes
		}
	case equalFold(in[2], "NO"):
		if !t.optout {
			return errCachingNo
		}
	default:
		return errs.Syntax
	}
	t.caching = true
	out.Status("OK")
	return nil
}

// CLIENT GETREDIR
//
// Replies with a client's number, 0 without redirection, -1 without tracking.
func clientGetRedir(c *Client, _ command.Args, out *resp.Reply) error {
	out.Int(c.redirect())
	return nil
}

func (c *Client) redirect() int64 {
	if c.tracking == nil {
		return -1
	}
	return c.tracking.redirect
}

// CLIENT TRACKING <ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]
//
// ON again may add prefixes and change options, but not the mode.
func clientTracking(c *Client, in command.Args, out *resp.Reply) error {
	want, prefixes, err := c.readTracking(in[3:])
	if err != nil {
		return err
	}
	switch {
	case equalFold(in[2], "ON"):
		if err := c.mayTrack(&want, prefixes); err != nil {
			return err
		}
		c.srv.tracking.track(c, want, prefixes)
	case equalFold(in[2], "OFF"):
		c.srv.tracking.untrack(c)
	default:
		return errs.Syntax
	}
	out.Status("OK")
	return nil
}

func (c *Client) readTracking(words [][]byte) (want trackingClient, prefixes []string, err error) {
	for i := 0; i < len(words); i++ {
		more := i+1 < len(words)
		switch word := strings.ToUpper(string(words[i])); {
		case word == "REDIRECT" && more:
			i++
			if want.redirect != 0 {
				return want, nil, errOneRedirect
			}
			id, ok := resp.ParseInt(words[i])
			if !ok {
				return want, nil, errs.NotInteger
			}
			if to := c.srv.clients.byID[id]; to == nil || to.closing {
				return want, nil, errNoRedirect
			}
			want.redirect = id
		case word == "PREFIX" && more:
			i++
			prefixes = append(prefixes, string(words[i]))
		case word == "BCAST":
			want.bcast = true
		case word == "OPTIN":
			want.optin = true
		case word == "OPTOUT":
			want.optout = true
		case word == "NOLOOP":
			want.noloop = true
		default:
			return want, nil, errs.Syntax
		}
	}
	return want, prefixes, nil
}

// mayTrack says what is wrong with options together, or with what is on already.
func (c *Client) mayTrack(want *trackingClient, prefixes []string) error {
	now := c.tracking
	switch {
	case !want.bcast && len(prefixes) > 0:
		return errPrefixBcast
	case now != nil && now.bcast != want.bcast:
		return errSwitchBcast
	case want.bcast && (want.optin || want.optout):
		return errOptBcast
	case want.optin && want.optout:
		return errOptBoth
	case now != nil && (want.optin && now.optout || want.optout && now.optin):
		return errSwitchOpt
	}
	for i, p := range prefixes {
		if now != nil {
			for _, other := range now.prefixes {
				if overlap(p, other) {
					return errPrefixOverlap(p, other, "an existing")
				}
			}
		}
		for _, other := range prefixes[i+1:] {
			if overlap(p, other) {
				return errPrefixOverlap(p, other, "another provided")
			}
		}
	}
	return nil
}

// overlap says whether a key may have both prefixes.
func overlap(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

// CLIENT TRACKINGINFO
func clientTrackingInfo(c *Client, _ command.Args, out *resp.Reply) error {
	flags, prefixes := []string{"off"}, []string(nil)
	if t := c.tracking; t != nil {
		flags, prefixes = t.flags(), t.prefixes
	}
	out.Map(3)
	out.BulkText("flags")
	out.Set(len(flags))
	for _, f := range flags {
		out.BulkText(f)
	}
	out.BulkText("redirect")
	out.Int(c.redirect())
	out.BulkText("prefixes")
	out.Array(len(prefixes))
	for _, p := range prefixes {
		out.BulkText(p)
	}
	return nil
}

func (t *trackingClient) flags() []string {
	flags := []string{"on"}
	add := func(is bool, name string) {
		if is {
			flags = append(flags, name)
		}
	}
	add(t.bcast, "bcast")
	add(t.optin, "optin")
	add(t.optin && t.caching, "caching-yes")
	add(t.optout, "optout")
	add(t.optout && t.caching, "caching-no")
	add(t.noloop, "noloop")
	add(t.broken, "broken_redirect")
	return flags
}
