package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff"
)

var errCursor = errors.New("redisstore: the cursor is not of this store")

// steps bounds the SCANs for one page: where few keys are sessions, pages are short.
const steps = 20

// scanMost bounds how many keys a SCAN looks at: more would hold up the server.
const scanMost = 1000

// shard is a server that has a part of the keys.
type shard struct {
	rdb   redis.Cmdable
	id    string // "" on a single server
	first int    // its first slot
}

// place is where a walk is.
type place struct {
	first int    // the first slot of the shard
	id    string // of the server that the cursor is of
	at    uint64
}

// String is the place as a cursor: "first.id.at".
func (p place) String() string { return fmt.Sprintf("%d.%s.%d", p.first, p.id, p.at) }

func parsePlace(cursor string) (p place, err error) {
	if cursor == "" {
		return place{}, nil
	}
	parts := strings.Split(cursor, ".")
	if len(parts) != 3 {
		return place{}, errCursor
	}
	p.id = parts[1]
	if p.first, err = strconv.Atoi(parts[0]); err != nil {
		return place{}, errCursor
	}
	if p.at, err = strconv.ParseUint(parts[2], 10, 64); err != nil {
		return place{}, errCursor
	}
	return p, nil
}

// List implements bff.Lister: SCAN, server after server. Where a replica has taken
// over from the server that a cursor is of, its part begins anew.
func (s *Store) List(ctx context.Context, prefix, cursor string, n int) (page []bff.Entry, next string, err error) {
	at, err := parsePlace(cursor)
	if err != nil {
		return nil, "", err
	}
	shards, err := s.shards(ctx)
	if err != nil {
		return nil, "", err
	}
	count := int64(n)
	for range steps {
		i := slices.IndexFunc(shards, func(sh shard) bool { return sh.first >= at.first })
		if i < 0 {
			return page, "", nil
		}
		if sh := shards[i]; sh.first != at.first || sh.id != at.id {
			at = place{first: sh.first, id: sh.id}
		}
		keys, cur, err := shards[i].rdb.ScanType(ctx, at.at, globEscape(prefix)+"*", min(count, scanMost), "string").Result()
		if err != nil {
			return nil, "", err
		}
		if page, err = s.appendEntries(ctx, page, keys); err != nil {
			return nil, "", err
		}
		if at.at = cur; cur == 0 {
			if i+1 == len(shards) {
				return page, "", nil
			}
			at = place{first: shards[i+1].first, id: shards[i+1].id}
		}
		if len(page) >= n {
			break
		}
		count *= 4 // few of the keys are sessions
	}
	return page, at.String(), nil
}

func (s *Store) appendEntries(ctx context.Context, page []bff.Entry, keys []string) ([]bff.Entry, error) {
	if len(keys) == 0 {
		return page, nil
	}
	found, _, err := s.read(ctx, keys)
	if err != nil {
		return nil, err
	}
	for i, r := range found {
		if r != nil {
			page = append(page, bff.Entry{Key: keys[i], Record: *r})
		}
	}
	return page, nil
}

// Count implements bff.Lister. It walks.
func (s *Store) Count(ctx context.Context, prefix string) (int, error) {
	shards, err := s.shards(ctx)
	if err != nil {
		return 0, err
	}
	// A key may come twice while a table grows.
	seen := map[string]struct{}{}
	for _, sh := range shards {
		for at := uint64(0); ; {
			keys, next, err := sh.rdb.ScanType(ctx, at, globEscape(prefix)+"*", 1000, "string").Result()
			if err != nil {
				return 0, err
			}
			for _, key := range keys {
				seen[key] = struct{}{}
			}
			if at = next; at == 0 {
				break
			}
		}
	}
	return len(seen), nil
}

// shards are the servers to walk, by the slots that they have.
func (s *Store) shards(ctx context.Context) ([]shard, error) {
	var mu sync.Mutex
	var shards []shard
	switch c := s.rdb.(type) {
	case *redis.ClusterClient:
		err := c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			text, err := node.ClusterNodes(ctx).Result()
			if err != nil {
				return err
			}
			if id, first, ok := myself(text); ok {
				mu.Lock()
				defer mu.Unlock()
				shards = append(shards, shard{node, id, first})
			}
			return nil
		})
		slices.SortFunc(shards, func(a, b shard) int { return cmp.Compare(a.first, b.first) })
		return shards, err
	case *redis.Ring:
		err := c.ForEachShard(ctx, func(_ context.Context, node *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			shards = append(shards, shard{rdb: node, id: idOf(node.Options().Addr)})
			return nil
		})
		slices.SortFunc(shards, func(a, b shard) int { return cmp.Compare(a.id, b.id) })
		for i := range shards {
			shards[i].first = i
		}
		return shards, err
	}
	return []shard{{rdb: s.rdb}}, nil
}

// idOf is an address without the dots that cursors have between their parts.
func idOf(addr string) string { return strings.ReplaceAll(addr, ".", "-") }

// myself is the id and the first slot of the server that gave a CLUSTER NODES; not
// ok when it has no slots.
func myself(nodes string) (id string, first int, ok bool) {
	for line := range strings.Lines(nodes) {
		f := strings.Fields(line)
		if len(f) < 9 || !strings.Contains(f[2], "myself") {
			continue
		}
		for _, slots := range f[8:] {
			from, _, _ := strings.Cut(slots, "-")
			if n, err := strconv.Atoi(from); err == nil { // not "[93-<-…" of a migration
				return f[0], n, true
			}
		}
	}
	return "", 0, false
}

// globEscape is a pattern that only the text itself fits.
func globEscape(text string) string {
	var out strings.Builder
	for i := range len(text) {
		if strings.IndexByte(`*?[]\^`, text[i]) >= 0 {
			out.WriteByte('\\')
		}
		out.WriteByte(text[i])
	}
	return out.String()
}
