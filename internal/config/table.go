package config

import (
	"math"
	"slices"
)

// table is every parameter. The rows stand in the files table_*.go, by what
// they are about.
var table = slices.Concat(networkParams, memoryParams, adminParams, persistenceParams, replicationParams, valueParams, clusterParams, sessionParams)

const (
	maxInt   = math.MaxInt32
	maxInt64 = math.MaxInt64
	maxUint  = math.MaxUint32
)

// Reasons shared by rows.
const (
	noPersistence = "snapshots and the append-only file need no such choice"
	noReplication = "there are no replicas yet"
	noCluster     = "a server is never part of a cluster"
	noScripts     = "scripts have no deprecated functions"
	alwaysLazy    = "memory of large values and databases is always freed aside"
	goRuntime     = "describes Redis' own process"
	goTLS         = "the TLS library chooses"
)

var (
	boolean = boolKind{}
	text    = textKind{}
	list    = wordsKind{}
)

func number(min, max int64) kind { return intKind{min, max, plain} }
func size(min, max int64) kind   { return intKind{min, max, memory} }
func oneOf(words ...string) kind { return enumKind{words: words} }
