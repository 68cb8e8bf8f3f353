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

// The finders of keys that no key spec finds.
var (
	SortKeys      = sortKeys
	SortROKeys    = sortROKeys
	GeoRadiusKeys = geoRadiusKeys
)
