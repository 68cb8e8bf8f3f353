package config

var clusterParams = []param{
	{name: "cluster-enabled", flags: immutable, kind: boolean, def: "no", only: []string{"no"}, refusal: noCluster},
	{name: "cluster-config-file", flags: immutable, kind: text, def: "nodes.conf", note: noCluster},
	{name: "cluster-port", flags: immutable, kind: number(0, 65535), def: "0", note: noCluster},
	{name: "cluster-node-timeout", kind: number(0, maxInt64), def: "15000", note: noCluster},
	{name: "cluster-migration-barrier", kind: number(0, maxInt), def: "1", note: noCluster},
	{name: "cluster-replica-validity-factor", alias: "cluster-slave-validity-factor", kind: number(0, maxInt), def: "10", note: noCluster},
	{name: "cluster-replica-no-failover", alias: "cluster-slave-no-failover", kind: boolean, def: "no", note: noCluster},
	{name: "cluster-require-full-coverage", kind: boolean, def: "yes", note: noCluster},
	{name: "cluster-allow-replica-migration", kind: boolean, def: "yes", note: noCluster},
	{name: "cluster-allow-reads-when-down", kind: boolean, def: "no", note: noCluster},
	{name: "cluster-allow-pubsubshard-when-down", kind: boolean, def: "yes", note: noCluster},
	{name: "cluster-link-sendbuf-limit", kind: size(0, maxInt64), def: "0", note: noCluster},
	{name: "cluster-announce-ip", kind: text, note: noCluster},
	{name: "cluster-announce-hostname", kind: textKind{isHostName}, note: noCluster},
	{name: "cluster-announce-human-nodename", kind: text, note: noCluster},
	{name: "cluster-announce-port", kind: number(0, 65535), def: "0", note: noCluster},
	{name: "cluster-announce-tls-port", kind: number(0, 65535), def: "0", note: noCluster},
	{name: "cluster-announce-bus-port", kind: number(0, 65535), def: "0", note: noCluster},
	{name: "cluster-preferred-endpoint-type", kind: oneOf("ip", "hostname", "unknown-endpoint"), def: "ip", note: noCluster},
}
