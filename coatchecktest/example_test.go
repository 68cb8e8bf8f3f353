package coatchecktest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck/coatchecktest"
)

// keepAlive is code to test: it lets a session live on, unless it has ended.
func keepAlive(rdb *redis.Client, id string) error {
	ok, err := rdb.Expire(ctx, "myapp:"+id, 15*time.Minute).Result()
	if err == nil && !ok {
		err = errors.New("the session has ended")
	}
	return err
}

// Examples of a testing package are tests.
func TestExampleOfASessionsLife(t *testing.T) {
	srv := coatchecktest.Run(t)
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr()})
	defer rdb.Close()

	srv.SetEX("myapp:1", `{"user":"anna"}`, 15*time.Minute)
	srv.Advance(14 * time.Minute)
	if err := keepAlive(rdb, "1"); err != nil {
		t.Fatal(err)
	}
	srv.Advance(14 * time.Minute)
	srv.CheckGet("myapp:1", `{"user":"anna"}`)
	srv.Advance(time.Minute)
	if err := keepAlive(rdb, "1"); err == nil {
		t.Fatal("the session should have ended")
	}
}

func TestExampleOfAStoreThatFails(t *testing.T) {
	srv := coatchecktest.Run(t)
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr(), MaxRetries: -1})
	defer rdb.Close()

	srv.Inject(coatchecktest.Fault{Match: "EXPIRE myapp:*", Times: 1, Error: "OOM command not allowed"})
	if err := keepAlive(rdb, "1"); err == nil || err.Error() != "OOM command not allowed" {
		t.Fatal(err)
	}
	if lines := srv.CommandLines("EXPIRE"); len(lines) != 1 || lines[0] != "EXPIRE myapp:1 900" {
		t.Fatal(lines)
	}
}
