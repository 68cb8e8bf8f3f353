package command

import (
	"coatcheck/engine"
	"coatcheck/resp"
)

// NewKeysWalk is the Step of a KEYS in slices.
func NewKeysWalk(pattern []byte) func(tx *engine.Tx, out *resp.Reply) (done bool, err error) {
	w := &keysWalk{pattern: pattern}
	return w.step
}
