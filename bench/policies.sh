#!/bin/sh
# What policies about sessions cost a SET: the server's CPU time a command, without and
# with all of them, in turns on the same machine. Prints medians.
#   sh bench/policies.sh [rounds]
set -eu
rounds=${1:-5}
dir=$(mktemp -d)
trap 'kill $off $on 2>/dev/null; rm -rf "$dir"' EXIT
off= on=
go build -o "$dir/coatcheck" ./cmd/coatcheck
go build -o "$dir/bench" ./bench/cmd/bench
serve() { # name, flags: prints the pid
	name=$1; shift
	"$dir/coatcheck" --port 0 --unixsocket "$dir/$name" --save "" --dir "$dir" "$@" >/dev/null 2>&1 &
	echo $! >"$dir/$name.pid"
	until redis-cli -s "$dir/$name" PING >/dev/null 2>&1; do sleep 0.05; done
	"$dir/bench" -addr "unix:$dir/$name" -workload write -value 324 -sessions 100000 -ops 1000 >/dev/null
}
serve off
serve on --session-tombstone-ttl 30 --session-max-lifetime 28800 --session-max-per-user 1000000 --session-events 1000 \
	--session-user-path user.id
off=$(cat "$dir/off.pid") on=$(cat "$dir/on.pid")
for depth in 1 16 64; do
	for round in $(seq "$rounds"); do
		for which in off on; do
			pid=$(cat "$dir/$which.pid")
			"$dir/bench" -addr "unix:$dir/$which" -workload write -value 324 -sessions 100000 -depth $depth -ops 200000 -keep -pid "$pid" |
				sed -n 's/.*CPU[^0-9]*\([0-9.]*\).*/\1/p' >>"$dir/$which.$depth"
		done
	done
	for which in off on; do
		sort -n "$dir/$which.$depth" | sed -n "$(((rounds + 1) / 2))p" >"$dir/$which.$depth.median"
	done
	echo "depth $depth: off $(cat "$dir/off.$depth.median") on $(cat "$dir/on.$depth.median") µs a command"
done
