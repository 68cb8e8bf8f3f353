package bfftest

import "coatcheck/engine/enginetest"

// Clock is a clock that stands still until Advance or SetTime moves it, and then
// rings what became due, each at its moment. One Clock serves a Manager, a store
// and an engine alike.
type Clock = enginetest.Clock

// Start is the time of a new Clock.
var Start = enginetest.Start

// NewClock is a Clock that says Start.
func NewClock() *Clock { return enginetest.NewClock(Start) }
