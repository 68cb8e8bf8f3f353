package bffprom_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bffprom"
	"coatcheck/bff/memstore"
)

// names are the contract: dashboards and alert rules have them.
var names = []string{
	"bff_conflicts_total", "bff_cookie_rejected_total", "bff_csrf_denied_total", "bff_expiry_lateness_seconds", "bff_session_events_total",
	"bff_sessions_active", "bff_store_duration_seconds", "bff_token_refresh_total", "bff_tombstone_refusals_total",
}

type counted struct {
	n   int
	err error
}

func (c *counted) Count(context.Context) (int, error) { return c.n, c.err }

// Each call of the interface shows in the figure of its name, and in no other.
func TestFigures(t *testing.T) {
	c := bffprom.New()
	c.Event(bff.EventRevoked, bff.ReasonLogout)
	c.Event(bff.EventRevoked, bff.ReasonLogout)
	c.Event(bff.EventCreated, "")
	c.Event(bff.EventRevoked, "the visitor's own words")
	c.Conflict("merged")
	c.Refused()
	c.TokenRefresh("ok")
	c.CSRFDenied()
	c.CookieRejected("signature")
	c.StoreCall("find", "miss", 2*time.Second)
	c.Late(30 * time.Millisecond)
	c.CountSessions(&counted{n: 3})
	c.CountSessions(&counted{n: 4})
	require.NoError(t, testutil.CollectAndCompare(c, strings.NewReader(`
# HELP bff_conflicts_total Writes that met another's, merged or failed.
# TYPE bff_conflicts_total counter
bff_conflicts_total{result="merged"} 1
# HELP bff_cookie_rejected_total Session cookies that opened no session.
# TYPE bff_cookie_rejected_total counter
bff_cookie_rejected_total{why="signature"} 1
# HELP bff_csrf_denied_total Requests from other origins that were turned away.
# TYPE bff_csrf_denied_total counter
bff_csrf_denied_total 1
# HELP bff_session_events_total What happened to sessions by this process' doing.
# TYPE bff_session_events_total counter
bff_session_events_total{reason="",type="created"} 1
bff_session_events_total{reason="logout",type="revoked"} 2
bff_session_events_total{reason="other",type="revoked"} 1
# HELP bff_sessions_active Sessions in the store.
# TYPE bff_sessions_active gauge
bff_sessions_active 7
# HELP bff_token_refresh_total Refreshes of tokens at the identity provider.
# TYPE bff_token_refresh_total counter
bff_token_refresh_total{result="ok"} 1
# HELP bff_tombstone_refusals_total Writes that were not done since their session had ended.
# TYPE bff_tombstone_refusals_total counter
bff_tombstone_refusals_total 1
`), "bff_conflicts_total", "bff_cookie_rejected_total", "bff_csrf_denied_total", "bff_session_events_total",
		"bff_sessions_active", "bff_token_refresh_total", "bff_tombstone_refusals_total"))

	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(c))
	families, err := reg.Gather()
	require.NoError(t, err)
	var got []string
	for _, f := range families {
		got = append(got, f.GetName())
		switch h := f.GetMetric()[0].GetHistogram(); f.GetName() {
		case "bff_store_duration_seconds":
			require.InDelta(t, 2, h.GetSampleSum(), 1e-9)
			require.Equal(t, "miss", f.GetMetric()[0].GetLabel()[1].GetValue())
		case "bff_expiry_lateness_seconds":
			require.InDelta(t, 0.03, h.GetSampleSum(), 1e-9)
		}
	}
	require.Equal(t, names, got)
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// A store that cannot be asked leaves its figure out, and the others in.
func TestSessionsThatCannotBeCounted(t *testing.T) {
	c := bffprom.New()
	require.Zero(t, testutil.CollectAndCount(c, "bff_sessions_active"), "nobody was named")
	sick := &counted{n: 1}
	c.CountSessions(sick)
	require.Equal(t, 1, testutil.CollectAndCount(c, "bff_sessions_active"))
	sick.err = errors.New("down")
	require.Zero(t, testutil.CollectAndCount(c, "bff_sessions_active"))
	require.Equal(t, 1, testutil.CollectAndCount(c, "bff_csrf_denied_total"))
}

func ExampleNew() {
	store := memstore.New(memstore.Options{})
	defer store.Close()
	m := bff.New()
	m.Store = store
	c := bffprom.New()
	m.Metrics = c
	c.CountSessions(m)
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	_ = m.Handler(http.NotFoundHandler()) // what the application serves

	_ = store.Create(context.Background(), "myapp:a", bff.Record{Value: []byte(`{"cookie":{}}`), TTL: time.Hour})
	families, err := reg.Gather()
	for _, f := range families {
		if f.GetName() == "bff_sessions_active" {
			fmt.Println(f.GetMetric()[0].GetGauge().GetValue(), err)
		}
	}
	// Output: 1 <nil>
}
