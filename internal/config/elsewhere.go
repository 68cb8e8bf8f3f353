package config

// elsewhere is directives of older and newer servers of the family that a file
// may hold and that change nothing here, with the reason for the warning.
var elsewhere = map[string]string{
	"glueoutputbuf":                        oldRedis,
	"hash-max-zipmap-entries":              oldRedis,
	"hash-max-zipmap-value":                oldRedis,
	"vm-enabled":                           oldRedis,
	"vm-swap-file":                         oldRedis,
	"vm-max-memory":                        oldRedis,
	"vm-page-size":                         oldRedis,
	"vm-pages":                             oldRedis,
	"vm-max-threads":                       oldRedis,
	"really-use-vm":                        oldRedis,
	"lua-replicate-commands":               oldRedis,
	"lua-enable-deprecated-api":            noScripts,
	"gopher-enabled":                       oldRedis,
	"cluster-compatibility-sample-ratio":   noCluster,
	"cluster-slot-stats-enabled":           noCluster,
	"cluster-databases":                    noCluster,
	"cluster-manual-failover-timeout":      noCluster,
	"cluster-announce-client-ipv4":         noCluster,
	"cluster-announce-client-ipv6":         noCluster,
	"replica-full-sync-buffer-limit":       noReplication,
	"dual-channel-replication-enabled":     noReplication,
	"repl-rdb-channel":                     noReplication,
	"rdb-version-check":                    noPersistence,
	"max-new-connections-per-cycle":        newer,
	"max-new-tls-connections-per-cycle":    newer,
	"hide-user-data-from-log":              newer,
	"io-threads-always-active":             newer,
	"events-per-io-thread":                 newer,
	"prefetch-batch-max-size":              newer,
	"lazyexpire-nested-arbitrary-keys":     newer,
	"extended-redis-compatibility":         newer,
	"log-timestamp-format":                 newer,
	"import-mode":                          newer,
	"availability-zone":                    newer,
	"commandlog-execution-slower-than":     newer,
	"commandlog-slow-execution-max-len":    newer,
	"commandlog-request-larger-than":       newer,
	"commandlog-large-request-max-len":     newer,
	"commandlog-reply-larger-than":         newer,
	"commandlog-large-reply-max-len":       newer,
	"key-memory-histograms":                newer,
	"vset-force-single-threaded-execution": newer,
	"active-defrag-cycle-us":               "belongs to activedefrag",
	"rdma-port":                            "there is no RDMA",
	"rdma-bind":                            "there is no RDMA",
	"repl-mptcp":                           "there is no MPTCP",
	"mptcp":                                "there is no MPTCP",
	"tls-auth-clients-user":                "certificates name no users here",
}

const (
	oldRedis = "it belongs to an older Redis"
	newer    = "it belongs to a newer server of the family"
)

// nearest returns the parameter whose name is one or two slips of the finger
// away from name, or "".
func nearest(name string) string {
	best, least := "", 3
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance is Levenshtein's: how many letters to insert, drop or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diag, row[j] = row[j], min(row[j]+1, row[j-1]+1, diag+cost)
		}
	}
	return row[len(b)]
}
