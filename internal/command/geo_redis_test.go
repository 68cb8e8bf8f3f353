package command_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
)

// geoGrammar are commands on places, in the way of zsetGrammar.
var geoGrammar = strings.Split(strings.TrimSpace(`
GEOADD K X Y M
GEOADD K X Y M X Y M
GEOADD K X Y M X Y M X Y M X Y M X Y M
GEOADD K <NX|XX|CH|NX CH|XX CH|NX XX|GT> X Y M X Y M
GEOADD K <7 3|50 60|0 0> M <7 3|50 60|0 0> M <7 3|50 60|0 0> M <7 3|50 60|0 0> M <7 3|50 60|0 0> M <7 3|50 60|0 0> M
GEOPOS K M M M
GEOHASH K M M M
GEODIST K M M <|m|km|FT|mi|x|km x>
GEORADIUS K X Y D <m|km|ft|MI> W
GEORADIUS K X Y D km W O C
GEORADIUS K X Y D km O C <STORE|STOREDIST> K
GEORADIUS K X Y D km O C W <STORE|STOREDIST> K
GEORADIUS_RO K X Y D km O C W <|STORE K>
GEORADIUSBYMEMBER K M D km W O C
GEORADIUSBYMEMBER K M D km O C <STORE|STOREDIST> K
GEORADIUSBYMEMBER_RO K M D km O C W
GEOSEARCH K <FROMMEMBER M|FROMLONLAT X Y> <BYRADIUS D|BYBOX D D> <km|m|x> O C W
GEOSEARCH K FROMLONLAT 0 0 BYRADIUS <30000|9000> km O C W
GEOSEARCH K FROMLONLAT 50 60 BYRADIUS 10000 km O C
GEOSEARCHSTORE K K <FROMMEMBER M|FROMLONLAT X Y> <BYRADIUS D|BYBOX D D> km O C <|STOREDIST|WITHDIST>
ZADD K <0|-1|1.5|4503599627370496|inf|-inf|3479099956230698> M
ZRANGE K 0 -1 WITHSCORES
ZREM K M M
ZCARD K
DEL K
EXPIRE K 100000
`), "\n")

// decimals are numbers that are not whole.
var decimals = regexp.MustCompile(`-?\d+\.\d+(e[-+]\d+)?`)

// sameDistances says whether two replies are the same up to what the sines of two
// libraries differ in.
func sameDistances(a, b string) bool {
	a, b = bulkLength.ReplaceAllString(a, "$$\r\n"), bulkLength.ReplaceAllString(b, "$$\r\n")
	x, y := decimals.FindAllString(a, -1), decimals.FindAllString(b, -1)
	if decimals.ReplaceAllString(a, "#") != decimals.ReplaceAllString(b, "#") || len(x) != len(y) {
		return false
	}
	for i := range x {
		f, _ := strconv.ParseFloat(x[i], 64)
		g, _ := strconv.ParseFloat(y[i], 64)
		if math.Abs(f-g) > 0.00015 {
			return false
		}
	}
	return true
}

// Random commands on places, in sorted sets of both encodings: replies, also the order of
// those equally far, events and repeated commands stay those of a real server.
func TestRandomGeo(t *testing.T) {
	peer, our, r := startPeer(t), startOurs(t), chance(t)
	our.listen()
	peer.do(t, []string{"CONFIG", "SET", "zset-max-listpack-entries", "8"})
	h := our.eng.Lock()
	packing := engine.DefaultPacking
	packing.ZSetEntries = 8
	h.SetPacking(packing)
	h.Unlock()
	words := zsetWords(r)
	words["M"] = func() string { return "m" + strconv.Itoa(r.IntN(60)) }
	lon := []string{"0", "13.361389", "15.087269", "-0.127758", "151.2099", "-180", "179.9", "-90", "50.5"}
	lat := []string{"0", "38.115556", "37.502669", "51.507351", "-33.865143", "85", "-85.05112878", "60.5"}
	far := []string{"0", "1", "100", "500", "2000", "5000", "9000", "20000", "1e9", "inf"}
	wild := func(from []string, most int, wrong ...string) func() string {
		return func() string {
			switch n := r.IntN(40); {
			case n == 0:
				return pick(r, wrong...)
			case n < 20:
				return strconv.Itoa(r.IntN(most) - most/2)
			}
			return pick(r, from...)
		}
	}
	words["X"], words["Y"] = wild(lon, 360, "181", "x"), wild(lat, 170, "86", "x")
	size := wild(far, 40000, "x")
	words["D"] = func() string { return strings.TrimPrefix(size(), "-") }
	words["W"] = func() string { return pick(r, "WITHDIST", "WITHCOORD", "WITHHASH", "WITHDIST", "withdist") }
	words["O"] = func() string { return pick(r, "ASC", "DESC", "asc") }
	words["C"] = func() string { return pick(r, "COUNT", "COUNT", "COUNT", "COUNT", "COUNT", "ASC", "FOO") }
	var story []string
	for i := range 5000 {
		if i%300 == 0 {
			story = nil
			peer.do(t, []string{"FLUSHALL"})
			our.do(t, []string{"FLUSHALL"})
		}
		var cmd []string
		for _, w := range draw(r, geoGrammar, words) {
			if cmd = append(cmd, w); w == "COUNT" {
				cmd = append(cmd, pick(r, "1", "2", "3", "7", "20", "50", "1000", "4", "5", "6", "10", "15", "30", "0"), pick(r, "ASC", "ANY", "DESC"))
			}
		}
		if row := our.rows[cmd[0]]; !row.AcceptsArity(len(cmd)) {
			continue
		}
		story = append(story, strings.Join(cmd, " "))
		want, got := peer.do(t, cmd), our.do(t, cmd)
		if sameDistances(want.reply, got.reply) {
			got.reply = want.reply
		}
		require.Equal(t, want, got, "the last of\n%q", story)
	}
}
