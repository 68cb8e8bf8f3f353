package command

import (
	"bytes"
	"strconv"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// geoUnit is the syntax of a unit.
const geoUnit = "<M | KM | FT | MI>"

// Geo is the family of commands on places in sorted sets.
var Geo = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "GEOADD", Syntax: "key condition:[NX | XX] change:[CH] data:(longitude:double latitude:double member)...", Arity: -5,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupGeo, Since: "3.2.0", Complexity: "O(log(N)) for each place, with N in the sorted set.",
		Summary: "Puts members of a sorted set at places. The key is created when absent.",
		History: [][2]string{{"6.2.0", "CH, NX and XX."}},
	}, Run: geoadd},
	{Spec: Spec{
		Name: "GEODIST", Syntax: "key member1 member2 unit:[M | KM | FT | MI]", Arity: -4,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupGeo, Since: "3.2.0", Complexity: "O(1)",
		Summary: "Tells how far two members are apart.",
	}, Run: geodist},
	{Spec: Spec{
		Name: "GEOHASH", Syntax: "key [member...]", Arity: -2,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupGeo, Since: "3.2.0", Complexity: "O(N) in the members asked for.",
		Summary: "Returns the places of members as usual geohashes.",
	}, Run: geohash},
	{Spec: Spec{
		Name: "GEOPOS", Syntax: "key [member...]", Arity: -2,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupGeo, Since: "3.2.0", Complexity: "O(N) in the members asked for.",
		Summary: "Returns the longitudes and latitudes of members.",
	}, Run: geopos},
}

// GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]
//
// Replies with the number of new members, with CH of those that moved, too.
func geoadd(tx *engine.Tx, in Args, out *resp.Reply) error {
	var opt engine.ZSetAddOptions
	var nx, xx, change bool
	c := options(in, 2)
	for word := true; word; {
		switch {
		case c.word("NX"):
			nx = true
		case c.word("XX"):
			xx = true
		case c.word("CH"):
			change = true
		default:
			word = false
		}
	}
	places := in[c.at:]
	if len(places)%3 != 0 || nx && xx {
		return errs.Syntax
	}
	elems := make([]engine.Scored, len(places)/3)
	for i := range elems {
		at, err := lonLat(places[3*i:])
		if err != nil {
			return err
		}
		elems[i].Member = places[3*i+2]
		if elems[i].Score, err = engine.GeoScore(at); err != nil {
			return err
		}
	}
	switch {
	case len(elems) == 0:
		return errs.Syntax
	case nx:
		opt.If = engine.IfMissing
	case xx:
		opt.If = engine.IfExists
	}
	if tx.WantsArgv() {
		opt.Argv = zaddOf(in[:c.at], elems)
	}
	res, err := tx.ZSetAdd(in[1], opt, elems...)
	if err != nil {
		return err
	}
	if change {
		res.Added += res.Updated
	}
	out.Int(int64(res.Added))
	return nil
}

// zaddOf is the ZADD that does the same as a GEOADD which begins with these words.
func zaddOf(words Args, elems []engine.Scored) [][]byte {
	argv := append([][]byte{[]byte("ZADD")}, words[1:]...)
	for _, x := range elems {
		argv = append(argv, strconv.AppendInt(nil, int64(x.Score), 10), x.Member)
	}
	return argv
}

// lonLat reads a longitude and a latitude, which may be on no map.
func lonLat(args Args) (p engine.GeoPoint, err error) {
	var ok1, ok2 bool
	p.Lon, ok1 = engine.ParseDouble(args[0])
	p.Lat, ok2 = engine.ParseDouble(args[1])
	if !ok1 || !ok2 {
		return p, errs.NotFloat
	}
	return p, nil
}

// unit reads a unit: how many metres it has.
func unit(arg []byte) (float64, error) {
	switch {
	case isWord(arg, "M"):
		return 1, nil
	case isWord(arg, "KM"):
		return 1000, nil
	case isWord(arg, "FT"):
		return 0.3048, nil
	case isWord(arg, "MI"):
		return 1609.34, nil
	}
	return 0, errs.GeoUnit
}

// replyDistance replies with a string, as Redis does also on RESP3.
func replyDistance(out *resp.Reply, d float64) {
	var buf [40]byte
	out.BulkString(strconv.AppendFloat(buf[:0], d, 'f', 4, 64))
}

// replyPoint replies with a longitude and a latitude, to 17 places behind the point.
func replyPoint(out *resp.Reply, p engine.GeoPoint) {
	out.Array(2)
	for _, f := range [...]float64{p.Lon, p.Lat} {
		var buf [40]byte
		digits := bytes.TrimRight(strconv.AppendFloat(buf[:0], f, 'f', 17, 64), "0")
		digits = bytes.TrimSuffix(digits, []byte("."))
		if string(digits) == "-0" {
			digits = digits[1:]
		}
		out.DoubleDigits(digits)
	}
}

// GEODIST key member1 member2 [M | KM | FT | MI]
//
// Replies with a distance, in metres unless told otherwise; null without both members.
func geodist(tx *engine.Tx, in Args, out *resp.Reply) error {
	metres := 1.0
	switch {
	case len(in) > 5:
		return errs.Syntax
	case len(in) == 5:
		var err error
		if metres, err = unit(in[4]); err != nil {
			return err
		}
	}
	x, ok, err := tx.GeoIndex(in[1])
	if err != nil {
		return err
	}
	if ok {
		a, ok1 := x.Point(in[2])
		b, ok2 := x.Point(in[3])
		if ok1 && ok2 {
			replyDistance(out, engine.GeoDistance(a, b)/metres)
			return nil
		}
	}
	out.Null()
	return nil
}

// GEOHASH key [member ...]
//
// Replies with an array of geohashes of 11 letters, null for each member that is
// missing.
func geohash(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tx.ZSetScores(in[1], in[2:], func(bool) { out.Array(len(in) - 2) }, func(score float64, ok bool) {
		if !ok {
			out.Null()
			return
		}
		var buf [16]byte
		out.BulkString(engine.AppendGeohash(buf[:0], engine.GeoPointOf(score)))
	})
}

// GEOPOS key [member ...]
//
// Replies with an array of pairs of longitude and latitude, null for each member that
// is missing.
func geopos(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tx.ZSetScores(in[1], in[2:], func(bool) { out.Array(len(in) - 2) }, func(score float64, ok bool) {
		if !ok {
			out.NullArray()
			return
		}
		replyPoint(out, engine.GeoPointOf(score))
	})
}
