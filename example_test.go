package coatcheck_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck"
)

// A store inside the process, used by go-redis without a socket.
func ExampleStart() {
	ctx := context.Background()
	srv, err := coatcheck.Start(ctx, coatcheck.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	rdb := redis.NewClient(&redis.Options{Dialer: srv.Dial})
	defer rdb.Close()
	if err := rdb.Set(ctx, "myapp:1", `{"user":"anna"}`, 15*time.Minute).Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(rdb.Get(ctx, "myapp:1").Val(), rdb.TTL(ctx, "myapp:1").Val())
	// Output: {"user":"anna"} 15m0s
}

// A store that other processes reach too, with a password and a bound.
func ExampleStart_options() {
	ctx := context.Background()
	srv, err := coatcheck.Start(ctx, coatcheck.Options{
		Addr:      "127.0.0.1:0", // a free port; "127.0.0.1:6379" for Redis' own
		Password:  "changeit",
		MaxMemory: 100 << 20,
		Config:    map[string]string{"maxmemory-policy": "volatile-ttl"},
	})
	if err != nil {
		log.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr(), Password: "changeit"})
	fmt.Println(rdb.Ping(ctx).Val())
	if err := rdb.Close(); err != nil {
		log.Fatal(err)
	}

	// Clients get the replies they are owed, for at most ten seconds.
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: PONG
}
