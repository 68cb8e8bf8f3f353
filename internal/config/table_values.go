package config

var valueParams = []param{
	{name: "hash-max-listpack-entries", alias: "hash-max-ziplist-entries", kind: number(0, maxInt64), def: "512", note: noType},
	{name: "hash-max-listpack-value", alias: "hash-max-ziplist-value", kind: size(0, maxInt64), def: "64", note: noType},
	{name: "list-max-listpack-size", alias: "list-max-ziplist-size", kind: number(-maxInt-1, maxInt), def: "-2", note: noType},
	{name: "list-compress-depth", kind: number(0, maxInt), def: "0", note: noType},
	{name: "set-max-intset-entries", kind: number(0, maxInt64), def: "512", note: noType},
	{name: "set-max-listpack-entries", kind: number(0, maxInt64), def: "128", note: noType},
	{name: "set-max-listpack-value", kind: size(0, maxInt64), def: "64", note: noType},
	{name: "zset-max-listpack-entries", alias: "zset-max-ziplist-entries", kind: number(0, maxInt64), def: "128", note: noType},
	{name: "zset-max-listpack-value", alias: "zset-max-ziplist-value", kind: size(0, maxInt64), def: "64", note: noType},
	{name: "hll-sparse-max-bytes", kind: size(0, maxInt64), def: "3000", note: noType},
	{name: "stream-node-max-bytes", kind: size(0, maxInt64), def: "4096", note: noType},
	{name: "stream-node-max-entries", kind: number(0, maxInt64), def: "100", note: noType},
}
