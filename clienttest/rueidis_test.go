package clienttest

import (
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"
)

func TestRueidis(t *testing.T) {
	t.Parallel()
	s := startTLSServer(t)
	ways := map[string]rueidis.ClientOption{
		"resp3":      {InitAddress: []string{s.Addr()}, Password: password},
		"resp2":      {InitAddress: []string{s.Addr()}, Password: password, AlwaysRESP2: true},
		"user":       {InitAddress: []string{s.Addr()}, Username: "default", Password: password, ClientName: "bff", SelectDB: 4},
		"tls":        {InitAddress: []string{s.TLSAddr()}, Password: password, TLSConfig: s.Certs.TLS(t)},
		"unix":       {InitAddress: []string{s.Socket}, Password: password, ForceSingleClient: true, DialFn: dialUnix},
		"no pipes":   {InitAddress: []string{s.Addr()}, Password: password, DisableAutoPipelining: true},
		"multiplex":  {InitAddress: []string{s.Addr()}, Password: password, PipelineMultiplex: 3},
		"identified": {InitAddress: []string{s.Addr()}, Password: password, ClientSetInfo: []string{"bff", "1.0"}},
	}
	for name, opt := range ways {
		t.Run(name, func(t *testing.T) {
			opt.DisableCache = true // the cache needs CLIENT TRACKING
			c, err := rueidis.NewClient(opt)
			require.NoError(t, err)
			defer c.Close()
			rueidisSession(t, c, "myapp:"+name+":")
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		_, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Addr()}, Password: "wrong", DisableCache: true})
		require.ErrorContains(t, err, "WRONGPASS")
	})
}

func dialUnix(path string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
	return d.Dial("unix", path)
}

func rueidisSession(t *testing.T, c rueidis.Client, prefix string) {
	ctx := t.Context()
	key := prefix + "1"
	require.NoError(t, c.Do(ctx, c.B().Set().Key(key).Value(sessionJSON).ExSeconds(900).Build()).Error())
	val, err := c.Do(ctx, c.B().Get().Key(key).Build()).ToString()
	require.NoError(t, err)
	require.Equal(t, sessionJSON, val)
	_, err = c.Do(ctx, c.B().Get().Key(prefix+"none").Build()).ToString()
	require.True(t, rueidis.IsRedisNil(err))

	// Many at once: rueidis writes them as one pipeline.
	var sets rueidis.Commands
	for i := range 300 {
		sets = append(sets, c.B().Set().Key(fmt.Sprintf("%s%d", prefix, i)).Value(fmt.Sprint(i)).Px(time.Minute).Build())
	}
	for _, r := range c.DoMulti(ctx, sets...) {
		require.NoError(t, r.Error())
	}
	var keys []string
	for cursor := uint64(0); ; {
		page, err := c.Do(ctx, c.B().Scan().Cursor(cursor).Match(prefix+"*").Count(50).Build()).AsScanEntry()
		require.NoError(t, err)
		keys = append(keys, page.Elements...)
		if cursor = page.Cursor; cursor == 0 {
			break
		}
	}
	require.Len(t, keys, 300)
	got, err := c.Do(ctx, c.B().Mget().Key(keys...).Build()).AsStrSlice()
	require.NoError(t, err)
	require.Len(t, got, 300)
	n, err := c.Do(ctx, c.B().Del().Key(keys...).Build()).AsInt64()
	require.NoError(t, err)
	require.Equal(t, int64(300), n)

	ded, release := c.Dedicate()
	id, err := ded.Do(ctx, ded.B().ClientId().Build()).AsInt64()
	require.NoError(t, err)
	require.Positive(t, id)
	release()
}

// The client finds the server again after a restart.
func TestRueidisServerRestart(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Addr()}, Password: password, DisableCache: true})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Do(t.Context(), c.B().Set().Key("a").Value("1").Build()).Error())
	require.NoError(t, s.Restart())
	eventually(t, func() bool {
		return c.Do(t.Context(), c.B().Set().Key("a").Value("2").Build()).Error() == nil
	}, "rueidis did not reconnect")
}
