//go:build !race

package redisstore_test

import "time"

// raceSlack is what a busy machine may add to a time.
const raceSlack = 500 * time.Millisecond
