package metrics

import "slices"

// rows is every figure that is one number or word, in INFO's order. The
// families with labels stand in families.go.
var rows = slices.Concat(serverRows, clientRows, memoryRows, persistenceRows, statsRows, replicationRows, cpuRows, clusterRows)
