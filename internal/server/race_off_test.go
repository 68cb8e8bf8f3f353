//go:build !race

package server

// allowedAllocs is what a batch of commands may allocate.
const allowedAllocs = 0.0
