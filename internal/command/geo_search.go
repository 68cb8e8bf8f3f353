package command

import (
	"math"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

const (
	geoWith  = " [WITHCOORD] [WITHDIST] [WITHHASH]"
	geoCount = " count-block:[COUNT count:integer [ANY]]"
	geoOrder = " order:[ASC | DESC]"
	geoStore = " store:[STORE storekey:key=key | STOREDIST storedistkey:key=key]"

	geoFrom = " from:<FROMMEMBER member | FROMLONLAT fromlonlat:(longitude:double latitude:double)>"
	geoBy   = " by:<circle:(BYRADIUS radius:double unit:" + geoUnit + ")" +
		" | box:(BYBOX width:double height:double unit:" + geoUnit + ")>"

	costOfSearch = "O(N+log(M)) with N of M members in the cells of the map around the shape."
)

// GeoSearches is the family of commands that search for places.
var GeoSearches = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "GEOSEARCH", Syntax: "key" + geoFrom + geoBy + geoOrder + geoCount + geoWith, Arity: -7,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupGeo, Since: "6.2.0", Complexity: costOfSearch,
		Summary: "Returns the members of a sorted set in a circle or a box.",
		History: [][2]string{{"7.0.0", "Units in capitals."}},
	}, Run: geosearch},
	{Spec: Spec{
		Name:   "GEOSEARCHSTORE",
		Syntax: "destination:key source:key" + geoFrom + geoBy + geoOrder + geoCount + " [STOREDIST]", Arity: -8,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, OW | Update}, {2, 0, 1, RO | Access}},
		Group: GroupGeo, Since: "6.2.0", Complexity: costOfSearch,
		Summary: "Stores the members of a sorted set in a circle or a box under another key.",
		History: [][2]string{{"7.0.0", "Units in capitals."}},
	}, Run: geosearchstore},
	radiusStore("GEORADIUS", "longitude:double latitude:double", 6,
		"`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
		"Returns the members of a sorted set around a place, or stores them under another key.", georadius),
	radiusStore("GEORADIUSBYMEMBER", "member", 5,
		"`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
		"Returns the members of a sorted set around one of them, or stores them under another key.", georadiusbymember),
	radiusOnly("GEORADIUS_RO", "longitude:double latitude:double", 6, "`GEOSEARCH` with the `BYRADIUS` argument",
		"Returns the members of a sorted set around a place.", georadiusRO),
	radiusOnly("GEORADIUSBYMEMBER_RO", "member", 5, "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
		"Returns the members of a sorted set around one of them.", georadiusbymemberRO),
}

func radiusStore(name, center string, arity int, instead, summary string, run func(*engine.Tx, Args, *resp.Reply) error) Entry[*engine.Tx] {
	e := radiusOnly(name, center, arity, instead, summary, run)
	e.Syntax += geoStore
	e.Flags, e.Since = Write|DenyOOM, "3.2.0"
	e.Searches = []KeySearch{
		{Word: "STORE", Begin: arity, Flags: OW | Update}, {Word: "STOREDIST", Begin: arity, Flags: OW | Update},
	}
	e.KeysOf = geoRadiusKeys
	return e
}

func radiusOnly(name, center string, arity int, instead, summary string, run func(*engine.Tx, Args, *resp.Reply) error) Entry[*engine.Tx] {
	return Entry[*engine.Tx]{Spec: Spec{
		Name: name, Syntax: "key " + center + " radius:double unit:" + geoUnit + geoWith + geoCount + geoOrder, Arity: -arity,
		Flags: ReadOnly, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupGeo, Since: "3.2.10", Complexity: costOfSearch, Summary: summary,
		DocFlags: []string{"deprecated"}, DeprecatedSince: "6.2.0", ReplacedBy: instead,
		History: [][2]string{{"6.2.0", "ANY."}, {"7.0.0", "Units in capitals."}},
	}, Run: run}
}

// geoKind says in which of its forms a search is told.
type geoKind struct {
	source   int  // where the key is that is searched
	options  int  // where the options begin
	byMember bool // in[2] is a member, else with options from 6 on a place
	search   bool // the center and the shape are options
	stores   bool // in[1] is where to store
	noStore  bool // STORE is no option
}

// geoArgs is a search as it was told.
type geoArgs struct {
	geoKind
	in     Args
	index  engine.GeoIndex
	exists bool // there is an index
	engine.GeoSearch
	hasMember, hasPlace         bool
	hasRadius                   bool
	withDist, withHash, withPos bool
	isStored, storeDist         bool // else it is replied with
	store                       []byte
}

// geoArgsOf reads a search. Unlike with others, the key is looked up first: what is wrong
// with a member depends on it.
func geoArgsOf(tx *engine.Tx, in Args, kind geoKind) (*geoArgs, error) {
	g := &geoArgs{geoKind: kind, in: in, isStored: kind.stores, store: in[1]}
	var err error
	if g.index, g.exists, err = tx.GeoIndex(in[kind.source]); err != nil {
		return nil, err
	}
	if err := g.around(); err != nil {
		return nil, err
	}
	c := options(in, kind.options)
	for c.more() {
		g.option(&c)
	}
	if c.err != nil {
		return nil, c.err
	}
	return g, g.checkTogether()
}

// around reads the center and the radius of GEORADIUS and its kin.
func (g *geoArgs) around() (err error) {
	switch {
	case g.search:
		return nil
	case !g.byMember:
		if err = g.placeAt(2); err != nil {
			return err
		}
	case !g.exists:
		return nil
	default:
		if err = g.memberAt(2); err != nil {
			return err
		}
	}
	return g.radiusAt(g.options - 2)
}

func (g *geoArgs) placeAt(i int) (err error) {
	if g.Center, err = lonLat(g.in[i:]); err == nil {
		_, err = engine.GeoScore(g.Center)
	}
	return err
}

func (g *geoArgs) memberAt(i int) error {
	var ok bool
	if g.Center, ok = g.index.Point(g.in[i]); !ok {
		return errs.GeoMember
	}
	return nil
}

func (g *geoArgs) radiusAt(i int) (err error) {
	var ok bool
	if g.Radius, ok = engine.ParseDouble(g.in[i]); !ok {
		return errs.GeoRadius
	}
	if g.Radius < 0 {
		return errs.GeoNoRadius
	}
	g.Unit, err = unit(g.in[i+1])
	return err
}

func (g *geoArgs) boxAt(i int) (err error) {
	var ok bool
	if g.Width, ok = engine.ParseDouble(g.in[i]); !ok {
		return errs.GeoWidth
	}
	if g.Height, ok = engine.ParseDouble(g.in[i+1]); !ok {
		return errs.GeoHeight
	}
	if g.Width < 0 || g.Height < 0 {
		return errs.GeoNoBox
	}
	g.Unit, err = unit(g.in[i+2])
	return err
}

// option reads the next option.
func (g *geoArgs) option(c *cursor) {
	behind := len(c.in) - c.at - 1
	switch {
	case c.word("WITHDIST"):
		g.withDist = true
	case c.word("WITHHASH"):
		g.withHash = true
	case c.word("WITHCOORD"):
		g.withPos = true
	case c.word("ANY"):
		g.Any = true
	case c.word("ASC"):
		g.Order = engine.NearestFirst
	case c.word("DESC"):
		g.Order = engine.FarthestFirst
	case behind > 0 && c.word("COUNT"):
		n := c.int()
		if c.err == nil && n <= 0 {
			c.fail(errs.GeoCount)
		}
		g.Count = int(min(n, math.MaxInt32))
	case g.search:
		g.searchOption(c, behind)
	case behind > 0 && !g.noStore && c.word("STORE"):
		g.store, g.isStored, g.storeDist = c.arg(), true, false
	case behind > 0 && !g.noStore && c.word("STOREDIST"):
		g.store, g.isStored, g.storeDist = c.arg(), true, true
	default:
		c.fail(errs.Syntax)
	}
}

// searchOption reads the next option of GEOSEARCH and GEOSEARCHSTORE, with so many
// arguments behind it.
func (g *geoArgs) searchOption(c *cursor, behind int) {
	at := c.at + 1
	switch {
	case g.isStored && c.word("STOREDIST"):
		g.storeDist = true
	case behind > 0 && !g.hasPlace && c.word("FROMMEMBER"):
		c.at++
		if g.hasMember = true; g.exists {
			c.fail(g.memberAt(at))
		}
	case behind > 1 && !g.hasMember && c.word("FROMLONLAT"):
		c.at += 2
		g.hasPlace = true
		c.fail(g.placeAt(at))
	case behind > 1 && !g.IsBox && c.word("BYRADIUS"):
		c.at += 2
		g.hasRadius = true
		c.fail(g.radiusAt(at))
	case behind > 2 && !g.hasRadius && c.word("BYBOX"):
		c.at += 3
		g.IsBox = true
		c.fail(g.boxAt(at))
	default:
		c.fail(errs.Syntax)
	}
}

// checkTogether looks at what is only wrong, or missing, together.
func (g *geoArgs) checkTogether() error {
	switch {
	case g.isStored && (g.withDist || g.withHash || g.withPos) && g.search:
		return errs.GeoSearchWith
	case g.isStored && (g.withDist || g.withHash || g.withPos):
		return errs.GeoStoreWith
	case g.search && !g.hasMember && !g.hasPlace:
		return errs.GeoNoCenter(g.in[0])
	case g.search && !g.hasRadius && !g.IsBox:
		return errs.GeoNoShape(g.in[0])
	case g.Any && g.Count == 0:
		return errs.GeoAny
	}
	return nil
}

// run searches, and replies with what is found or stores it.
func (g *geoArgs) run(tx *engine.Tx, out *resp.Reply) {
	var found []engine.GeoFound
	if g.exists {
		found = g.index.Search(&g.GeoSearch)
	}
	if g.isStored {
		event := "georadiusstore"
		if g.search {
			event = "geosearchstore"
		}
		tx.GeoStore(g.store, found, g.storeDist, event, g.in...)
		out.Int(int64(len(found)))
		return
	}
	g.reply(found, out)
}

func (g *geoArgs) reply(found []engine.GeoFound, out *resp.Reply) {
	words := 1
	for _, with := range [...]bool{g.withDist, g.withHash, g.withPos} {
		if with {
			words++
		}
	}
	out.Array(len(found))
	for i := range found {
		f := &found[i]
		if words > 1 {
			out.Array(words)
		}
		out.BulkString(f.Member)
		if g.withDist {
			replyDistance(out, f.Distance)
		}
		if g.withHash {
			out.Int(int64(f.Score))
		}
		if g.withPos {
			replyPoint(out, f.At)
		}
	}
}

func geoRun(tx *engine.Tx, in Args, out *resp.Reply, kind geoKind) error {
	g, err := geoArgsOf(tx, in, kind)
	if err != nil {
		return err
	}
	g.run(tx, out)
	return nil
}

// GEOSEARCH key <FROMMEMBER member | FROMLONLAT longitude latitude>
// <BYRADIUS radius unit | BYBOX width height unit> [ASC | DESC] [COUNT count [ANY]]
// [WITHCOORD] [WITHDIST] [WITHHASH]
//
// Replies with an array of members or, where something is asked for with them, of arrays
// of the member, its distance from the center, its score, and where it is.
func geosearch(tx *engine.Tx, in Args, out *resp.Reply) error {
	return geoRun(tx, in, out, geoKind{source: 1, options: 2, search: true})
}

// GEOSEARCHSTORE destination source <FROMMEMBER member | FROMLONLAT longitude latitude>
// <BYRADIUS radius unit | BYBOX width height unit> [ASC | DESC] [COUNT count [ANY]]
// [STOREDIST]
//
// Replies with the number of members stored.
func geosearchstore(tx *engine.Tx, in Args, out *resp.Reply) error {
	return geoRun(tx, in, out, geoKind{source: 2, options: 3, search: true, stores: true})
}

// GEORADIUS key longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH]
// [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]
//
// Replies as GEOSEARCH or, with STORE or STOREDIST, GEOSEARCHSTORE does.
func georadius(tx *engine.Tx, in Args, out *resp.Reply) error {
	return geoRun(tx, in, out, geoKind{source: 1, options: 6})
}

// GEORADIUSBYMEMBER key member radius unit [WITHCOORD] [WITHDIST] [WITHHASH]
// [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]
//
// Replies as GEORADIUS does.
func georadiusbymember(tx *engine.Tx, in Args, out *resp.Reply) error {
	return geoRun(tx, in, out, geoKind{source: 1, options: 5, byMember: true})
}

// GEORADIUS_RO key longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH]
// [COUNT count [ANY]] [ASC | DESC]
//
// Replies as GEOSEARCH does.
func georadiusRO(tx *engine.Tx, in Args, out *resp.Reply) error {
	return geoRun(tx, in, out, geoKind{source: 1, options: 6, noStore: true})
}

// GEORADIUSBYMEMBER_RO key member radius unit [WITHCOORD] [WITHDIST] [WITHHASH]
// [COUNT count [ANY]] [ASC | DESC]
//
// Replies as GEOSEARCH does.
func georadiusbymemberRO(tx *engine.Tx, in Args, out *resp.Reply) error {
	return geoRun(tx, in, out, geoKind{source: 1, options: 5, byMember: true, noStore: true})
}
