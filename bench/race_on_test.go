//go:build race

package bench

// mostAllocs is above what pools allocate under the race detector, where they
// drop a part of what they are given on purpose.
const mostAllocs = 0.5
