//go:build race

package resp

// raceEnabled: the race detector makes pools drop things at random.
const raceEnabled = true
