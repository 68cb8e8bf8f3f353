package command

import "coatcheck/engine"

// Data is every command about data, family by family.
func Data() []Entry[*engine.Tx] {
	var all []Entry[*engine.Tx]
	for _, family := range [][]Entry[*engine.Tx]{
		Strings, StringParts, Numbers, Keys, Expiry, Walks, Objects, Space, Bitmaps, HyperLogLogs,
		Lists, ListPops, Sets, SetAlgebra, Sorting,
		ZSets, ZSetRanges, ZSetAlgebra, ZSetPops, ZSetWalks, Geo, GeoSearches, Dumps,
		Hashes, HashWalks, FieldExpiry,
		Streams, StreamReads, StreamGroups, StreamClaims, StreamInfos,
	} {
		all = append(all, family...)
	}
	return all
}
