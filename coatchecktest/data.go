package coatchecktest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"coatcheck/engine"
)

// Database is one database of a server, read and written without a client. What is done
// here is neither counted nor recorded as a command, and no fault or password
// stands in its way.
type Database struct {
	s *Server
	n int
}

// DB is database n. It fails the test when there is none of that number.
func (s *Server) DB(n int) *Database {
	s.t.Helper()
	if n < 0 || n >= s.cfg.Databases {
		s.t.Fatalf("coatchecktest: there is no database %d", n)
	}
	return &Database{s: s, n: n}
}

// do runs fn as a unit on the database; its error fails the test.
func (d *Database) do(what string, fn func(tx *engine.Tx) error) {
	d.s.t.Helper()
	if err := d.s.eng.Do(d.n, fn); err != nil {
		d.s.t.Fatalf("coatchecktest: %s: %v", what, err)
	}
}

// Set makes key hold a string without expiry.
func (d *Database) Set(key, value string) {
	d.s.t.Helper()
	d.do("set "+key, func(tx *engine.Tx) error {
		_, err := tx.StringSet([]byte(key), []byte(value), engine.SetOptions{})
		return err
	})
}

// SetEX is Set with a time to live.
func (d *Database) SetEX(key, value string, ttl time.Duration) {
	d.s.t.Helper()
	d.do("set "+key, func(tx *engine.Tx) error {
		_, err := tx.StringSet([]byte(key), []byte(value), engine.SetOptions{At: deadline(tx, ttl)})
		return err
	})
}

func deadline(tx *engine.Tx, ttl time.Duration) engine.UnixMilli {
	return tx.Now() + engine.UnixMilli(ttl.Milliseconds())
}

// Get returns the string at key, and whether there is one. It fails the test when
// key holds another type.
func (d *Database) Get(key string) (value string, ok bool) {
	d.s.t.Helper()
	d.do("get "+key, func(tx *engine.Tx) error {
		val, found, err := tx.String([]byte(key))
		value, ok = string(val), found
		return err
	})
	return value, ok
}

// CheckGet has the test fail (and go on) when key does not hold the string want.
func (d *Database) CheckGet(key, want string) {
	d.s.t.Helper()
	if got, ok := d.Get(key); !ok {
		d.s.t.Errorf("there is no key %q, expected %q", key, want)
	} else if got != want {
		d.s.t.Errorf("key %q holds %q, expected %q", key, got, want)
	}
}

// TTL is how long key has left; 0 for a key without expiry, or no key.
func (d *Database) TTL(key string) (ttl time.Duration) {
	d.do("ttl "+key, func(tx *engine.Tx) error {
		if at, ok := tx.ExpireAt([]byte(key)); ok && at != engine.Never {
			ttl = time.Duration(at-tx.Now()) * time.Millisecond
		}
		return nil
	})
	return ttl
}

// SetTTL gives key a time to live; 0 or less takes it away, and the key lives on.
// It returns whether there is such a key.
func (d *Database) SetTTL(key string, ttl time.Duration) (ok bool) {
	d.do("expire "+key, func(tx *engine.Tx) error {
		if ok = tx.Has([]byte(key)); ok && ttl <= 0 {
			tx.KeyPersist([]byte(key))
		} else if ok {
			tx.KeyExpire([]byte(key), deadline(tx, ttl), 0)
		}
		return nil
	})
	return ok
}

// Del removes keys and returns how many there were.
func (d *Database) Del(keys ...string) (n int) {
	argv := make([][]byte, len(keys))
	for i, k := range keys {
		argv[i] = []byte(k)
	}
	d.do("del", func(tx *engine.Tx) error {
		n = tx.Delete("DEL", argv...)
		return nil
	})
	return n
}

// Exists says whether there is such a key.
func (d *Database) Exists(key string) (ok bool) {
	d.do("exists", func(tx *engine.Tx) error {
		ok = tx.Has([]byte(key))
		return nil
	})
	return ok
}

// Type is the type of what key holds, "string"; "none" without a key.
func (d *Database) Type(key string) (name string) {
	d.do("type", func(tx *engine.Tx) error {
		name = tx.TypeOf([]byte(key)).String()
		return nil
	})
	return name
}

// Keys are the keys that a glob pattern fits, sorted; those of the whole database
// for no pattern.
func (d *Database) Keys(pattern ...string) []string {
	keys := []string{}
	d.do("keys", func(tx *engine.Tx) error {
		opt := engine.ScanOptions{Count: 1000}
		if len(pattern) > 0 {
			opt.Match = []byte(pattern[0])
		}
		for cursor := uint64(0); ; {
			cursor = tx.KeyScan(cursor, opt, func(key []byte) { keys = append(keys, string(key)) })
			if cursor == 0 {
				return nil
			}
		}
	})
	slices.Sort(keys)
	return slices.Compact(keys)
}

// FlushDB empties the database.
func (d *Database) FlushDB() {
	d.do("flushdb", func(tx *engine.Tx) error {
		tx.FlushDB()
		return nil
	})
}

// FlushAll empties all databases.
func (s *Server) FlushAll() {
	s.do("flushall", func(tx *engine.Tx) error {
		tx.FlushAll()
		return nil
	})
}

// Dump is what the database holds, as text: a line for each key in order, with its
// type and what it has left to live, then its value.
//
//	myapp:1 (string, 15m0s)
//	    {"user":"anna"}
func (d *Database) Dump() string {
	var b strings.Builder
	for _, key := range d.Keys() {
		kind := d.Type(key)
		if ttl := d.TTL(key); ttl > 0 {
			kind += ", " + ttl.String()
		}
		fmt.Fprintf(&b, "%s (%s)\n", readable(key), kind)
		if strings.HasPrefix(kind, "string") {
			value, _ := d.Get(key)
			fmt.Fprintf(&b, "    %s\n", readable(value))
		}
	}
	return b.String()
}

// DumpAll is Dump of every database that holds something, with its number.
func (s *Server) DumpAll() string {
	var b strings.Builder
	for n := range s.cfg.Databases {
		if text := s.DB(n).Dump(); text != "" {
			fmt.Fprintf(&b, "database %d\n%s", n, text)
		}
	}
	return b.String()
}

// readable quotes what would not be.
func readable(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	return s
}
