package bff

// NewMapStore is a Manager's own store, for the conformance suite.
func NewMapStore(c Clock) Store { return newMapStore(c) }
