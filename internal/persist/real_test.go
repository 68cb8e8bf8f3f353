package persist_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine/enginetest"
	"coatcheck/internal/disk"
	"coatcheck/internal/persist"
	"coatcheck/internal/realredis"
)

// A real redis-server starts from our file, and redis-check-rdb finds it clean.
func TestRedisLoadsOurs(t *testing.T) {
	a := enginetest.New(t)
	a.SetTime(realNow())
	fill(a, 300)
	fillHashes(a, false)
	dir := t.TempDir()
	path := filepath.Join(dir, "dump.rdb")
	require.NoError(t, save(t, a.Engine, disk.OS{}, path).Err)
	out, err := exec.Command("redis-check-rdb", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "RDB looks OK")

	r := realredis.Start(t, "--dir", dir)
	for db := range 3 {
		r.Do(t, "SELECT", fmt.Sprint(db))
		theirs := map[string]string{}
		for _, key := range r.Strings(t, "KEYS", "*") {
			theirs[key] = redisText(t, r, key)
		}
		ours := map[string]string{}
		for key, val := range content(a.Engine, db) {
			if strings.HasSuffix(val, " @-1") { // the others expire meanwhile
				ours[key] = strings.TrimSuffix(val, " @-1")
			} else {
				delete(theirs, key)
			}
		}
		require.Equal(t, ours, theirs)
	}
}

// redisText is the value at key as valueText tells ours.
func redisText(t *testing.T, r *realredis.Server, key string) string {
	if r.Text(t, "TYPE", key) != "hash" {
		return r.Text(t, "GET", key)
	}
	var fields []string
	all := r.Strings(t, "HGETALL", key)
	for i := 0; i < len(all); i += 2 {
		fields = append(fields, all[i]+": "+all[i+1])
	}
	slices.Sort(fields)
	return strings.Join(fields, ", ")
}

// We load what a real redis-server saved.
func TestOursLoadsRedis(t *testing.T) {
	dir := t.TempDir()
	r := realredis.Start(t, "--dir", dir)
	want := map[string]string{}
	for i := range 200 {
		key, val := fmt.Sprint("k", i), strings.Repeat(fmt.Sprint("value ", i%3), i)
		if i%4 == 0 {
			val = fmt.Sprint(i * i * i * i * 1000)
		}
		r.Do(t, "SET", key, val)
		want[key] = val + " @-1"
		if i%10 == 0 {
			r.Do(t, "PEXPIREAT", key, "4102444800000")
			want[key] = val + " @4102444800000"
		}
	}
	for i := range 40 {
		key := fmt.Sprint("hash", i)
		for f := range i * i / 2 {
			r.Do(t, "HSET", key, fmt.Sprint("f", f), strings.Repeat(fmt.Sprint(f), 1+f%30))
		}
		if i > 1 {
			want[key] = redisText(t, r, key) + " @-1"
		}
	}
	require.Equal(t, "OK", r.Text(t, "SAVE"))
	e := enginetest.New(t)
	l, err := persist.Load(context.Background(), e.Engine, disk.OS{}, filepath.Join(dir, "dump.rdb"), persist.LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, want, content(e.Engine, 0))
	require.Equal(t, "7.0.15", l.Aux["redis-ver"])
	require.NoError(t, os.Remove(filepath.Join(dir, "dump.rdb")))
}
