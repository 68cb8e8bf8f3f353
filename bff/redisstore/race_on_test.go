//go:build race

package redisstore_test

import "time"

// raceSlack is what the race detector and a busy machine may add to a time.
const raceSlack = 1500 * time.Millisecond
