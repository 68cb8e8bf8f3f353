//go:build !race

package bench

// mostAllocs leaves room for what the runtime does beside.
const mostAllocs = 0.01
