package persist_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
			theirs[key] = r.Text(t, "GET", key)
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
	require.Equal(t, "OK", r.Text(t, "SAVE"))
	e := enginetest.New(t)
	l, err := persist.Load(context.Background(), e.Engine, disk.OS{}, filepath.Join(dir, "dump.rdb"), persist.LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, want, content(e.Engine, 0))
	require.Equal(t, "7.0.15", l.Aux["redis-ver"])
	require.NoError(t, os.Remove(filepath.Join(dir, "dump.rdb")))
}
