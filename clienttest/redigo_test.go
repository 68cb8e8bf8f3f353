package clienttest

import (
	"fmt"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/stretchr/testify/require"
)

func TestRedigo(t *testing.T) {
	t.Parallel()
	s := startTLSServer(t)
	ways := map[string]func() (redis.Conn, error){
		"password": func() (redis.Conn, error) {
			return redis.Dial("tcp", s.Addr(), redis.DialPassword(password))
		},
		"user, name and db": func() (redis.Conn, error) {
			return redis.Dial("tcp", s.Addr(), redis.DialUsername("default"), redis.DialPassword(password),
				redis.DialClientName("bff"), redis.DialDatabase(5))
		},
		"url": func() (redis.Conn, error) {
			return redis.DialURL(fmt.Sprintf("redis://default:%s@%s/2", password, s.Addr()))
		},
		"tls": func() (redis.Conn, error) {
			return redis.Dial("tcp", s.TLSAddr(), redis.DialPassword(password), redis.DialUseTLS(true), redis.DialTLSConfig(s.Certs.TLS(t)))
		},
		"unix": func() (redis.Conn, error) {
			return redis.Dial("unix", s.Socket, redis.DialPassword(password))
		},
	}
	for name, dial := range ways {
		t.Run(name, func(t *testing.T) {
			c, err := dial()
			require.NoError(t, err)
			defer c.Close()
			redigoSession(t, c, "myapp:"+name+":")
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		_, err := redis.Dial("tcp", s.Addr(), redis.DialPassword("wrong"))
		require.EqualError(t, err, "WRONGPASS invalid username-password pair or user is disabled.")
	})
}

func redigoSession(t *testing.T, c redis.Conn, prefix string) {
	ok, err := redis.String(c.Do("SET", prefix+"1", sessionJSON, "EX", 900))
	require.NoError(t, err)
	require.Equal(t, "OK", ok)
	val, err := redis.String(c.Do("GET", prefix+"1"))
	require.NoError(t, err)
	require.Equal(t, sessionJSON, val)
	ttl, err := redis.Int(c.Do("TTL", prefix+"1"))
	require.NoError(t, err)
	require.InDelta(t, 900, ttl, patience.Seconds())
	_, err = redis.String(c.Do("GET", prefix+"none"))
	require.ErrorIs(t, err, redis.ErrNil)

	// A pipeline: redigo sends and receives by hand.
	for i := range 100 {
		require.NoError(t, c.Send("SET", fmt.Sprintf("%s%d", prefix, i), i))
	}
	require.NoError(t, c.Send("INCR", prefix+"99"))
	require.NoError(t, c.Flush())
	for range 100 {
		_, err := c.Receive()
		require.NoError(t, err)
	}
	n, err := redis.Int(c.Receive())
	require.NoError(t, err)
	require.Equal(t, 100, n)

	var keys []any
	for cursor := "0"; ; {
		page, err := redis.Values(c.Do("SCAN", cursor, "MATCH", prefix+"*", "COUNT", 10))
		require.NoError(t, err)
		found, err := redis.Strings(page[1], nil)
		require.NoError(t, err)
		for _, k := range found {
			keys = append(keys, k)
		}
		if cursor, err = redis.String(page[0], nil); cursor == "0" {
			require.NoError(t, err)
			break
		}
	}
	require.Len(t, keys, 100)
	n, err = redis.Int(c.Do("DEL", keys...))
	require.NoError(t, err)
	require.Equal(t, 100, n)
	_, err = c.Do("NOSUCH", "a", "b")
	require.EqualError(t, err, "ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' ")
}

// A pool that tests its connections before it lends them out, over a restart.
func TestRedigoPool(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	pool := &redis.Pool{
		MaxIdle: 3, MaxActive: 3, Wait: true,
		Dial: func() (redis.Conn, error) { return redis.Dial("tcp", s.Addr(), redis.DialPassword(password)) },
		TestOnBorrow: func(c redis.Conn, _ time.Time) error {
			_, err := c.Do("PING")
			return err
		},
	}
	defer pool.Close()
	use := func() {
		c := pool.Get()
		defer c.Close()
		_, err := c.Do("SET", "myapp:pool", "1", "PX", 60000)
		require.NoError(t, err)
	}
	use()
	require.NoError(t, s.Restart())
	use()
}
