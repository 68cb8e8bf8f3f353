package bff_test

import (
	"testing"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/storetest"
)

func TestMapStoreConformance(t *testing.T) {
	clock := bfftest.NewClock()
	storetest.Run(t, func(*testing.T) bff.Store { return bff.NewMapStore(clock) }, storetest.Options{Advance: clock.Advance})
}
