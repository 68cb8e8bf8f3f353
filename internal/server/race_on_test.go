//go:build race

package server

// allowedAllocs is what a batch of commands may allocate: with the race detector,
// pools drop some of what they are given.
const allowedAllocs = 20.0
