package aof_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/internal/aof"
	"coatcheck/internal/command"
	"coatcheck/internal/disk"
	"coatcheck/internal/disk/disktest"
	"coatcheck/internal/realredis"
	"coatcheck/resp"
)

// rows is the command table by name.
var rows = func() map[string]*command.Entry[*engine.Tx] {
	byName := map[string]*command.Entry[*engine.Tx]{}
	data := command.Data()
	for i := range data {
		byName[data[i].Name] = &data[i]
	}
	return byName
}()

// do runs a line of words as a unit of its own, lines between "MULTI" and "EXEC" as one.
func do(t testing.TB, e *enginetest.Fixture, db int, lines ...string) {
	h := e.Lock()
	defer h.Unlock()
	unit := h.Begin(db)
	defer unit.End()
	for _, line := range lines {
		run(t, h, db, strings.Fields(line)...)
	}
}

// run runs a command and returns its reply.
func run(t testing.TB, h engine.Held, db int, words ...string) string {
	var in command.Args
	for _, w := range words {
		in = append(in, []byte(w))
	}
	tx := h.Begin(db)
	defer tx.End()
	out := &resp.Reply{Proto: 2}
	row := rows[strings.ToUpper(words[0])]
	for i := range row.Subs {
		if strings.EqualFold(row.Subs[i].Name, words[1]) {
			row = &row.Subs[i]
			break
		}
	}
	if err := row.Run(tx, in, out); err != nil {
		t.Error(words, err)
	}
	return string(out.Bytes())
}

// content is every key with its DUMP and deadline.
func content(t testing.TB, e *enginetest.Fixture) map[string]string {
	all := map[string]string{}
	h := e.Lock()
	defer h.Unlock()
	for db := range 2 {
		tx := h.Begin(db)
		var keys []string
		for cursor := uint64(0); ; {
			if cursor = tx.KeyScan(cursor, engine.ScanOptions{}, func(key []byte) { keys = append(keys, string(key)) }); cursor == 0 {
				break
			}
		}
		tx.End()
		for _, key := range keys {
			all[fmt.Sprint(db, " ", key)] = run(t, h, db, "DUMP", key) + run(t, h, db, "PEXPIRETIME", key)
		}
	}
	return all
}

func files(dir string, fsys disk.FS) aof.Files {
	return aof.Files{FS: fsys, Dir: filepath.Join(dir, "appendonlydir"), Name: "appendonly.aof"}
}

// quiet are hooks that do nothing.
var quiet = aof.Hooks{Synced: func() {}, Freed: func() {}, State: func(error) {}}

// logged gives an engine's log to a story, and closes it.
func logged(t testing.TB, e *enginetest.Fixture, f aof.Files, story func(l *aof.Log)) {
	s, err := aof.Take(f)
	require.NoError(t, err)
	defer s.Close()
	l, err := s.Open(aof.EverySecond, quiet)
	require.NoError(t, err)
	h := e.Lock()
	h.AddSink(l)
	h.Unlock()
	story(l)
	h = e.Lock()
	h.RemoveSink(l)
	h.Unlock()
	require.NoError(t, l.Close())
}

func load(t testing.TB, at *enginetest.Fixture, f aof.Files, truncated bool) (*enginetest.Fixture, aof.Loaded, error) {
	e := enginetest.New(t)
	e.SetTime(at.Now())
	s, err := aof.Take(f)
	if err != nil {
		return e, aof.Loaded{}, err
	}
	defer s.Close()
	got, err := s.Load(context.Background(), e.Engine, aof.LoadOptions{Truncated: truncated})
	return e, got, err
}

// tell tells a story of all types.
func tell(t testing.TB, e *enginetest.Fixture) {
	at := e.Clock.Now().UnixMilli()
	do(t, e, 0, "SET s 1", "INCR s", "APPEND s x") // one unit
	for _, line := range []string{
		"SET t v EX 100", "HSET h a 1 b 2", "HINCRBYFLOAT h a 0.5", "RPUSH l a b c", "LPOP l", "SADD set 1 2 3", "SPOP set",
		"ZADD z 1 a 2 b", "ZINCRBY z 3 a", "XADD x * f v", "XADD x * f w", "XGROUP CREATE x g 0", "SETBIT bits 100 1", "PFADD hll a b c",
		"GEOADD g 13.361389 38.115556 Palermo", "SET gone x", "DEL gone", "COPY s s2", "RENAME s2 s3",
		fmt.Sprintf("SET brief 5 PXAT %d", at+1000), "INCR brief", "PERSIST brief",
	} {
		do(t, e, 0, line)
	}
	do(t, e, 1, "SET other db")
	do(t, e, 0, "SET big "+strings.Repeat("b", 3000))
}

func only(t testing.TB, dir string) string {
	names, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	require.NoError(t, err)
	require.Len(t, names, 1)
	return names[0]
}

func TestWhatIsLoggedIsLoaded(t *testing.T) {
	dir := t.TempDir()
	a := enginetest.New(t)
	logged(t, a, files(dir, disk.OS{}), func(*aof.Log) { tell(t, a) })
	a.Advance(50e9) // brief would have expired if it had not been kept
	b, l, err := load(t, a, files(dir, disk.OS{}), false)
	require.NoError(t, err)
	require.Equal(t, content(t, a), content(t, b))
	require.Zero(t, l.Cut)
	h := b.Lock()
	require.Equal(t, "$1\r\n6\r\n", run(t, h, 0, "GET", "brief"))
	require.Equal(t, ":0\r\n", run(t, h, 0, "OBJECT", "IDLETIME", "s"), "it counts as used at the start")
	h.Unlock()
	b.Advance(60e9)
	h = b.Lock()
	require.Equal(t, "$-1\r\n", run(t, h, 0, "GET", "t"), "keys expire again")
	h.Unlock()

	// A second start goes on in the same file.
	logged(t, b, files(dir, disk.OS{}), func(*aof.Log) { do(t, b, 1, "SET more 1") })
	c, _, err := load(t, b, files(dir, disk.OS{}), false)
	require.NoError(t, err)
	require.Equal(t, content(t, b), content(t, c))
	for _, name := range []string{only(t, dir), filepath.Join(dir, "appendonlydir", "appendonly.aof.manifest")} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode(), name)
	}
}

// What consumers have been given is pending after a start; when they were last seen is
// then the start.
func TestPendingEntries(t *testing.T) {
	dir := t.TempDir()
	a := enginetest.New(t)
	logged(t, a, files(dir, disk.OS{}), func(*aof.Log) {
		for _, line := range []string{"XADD x 1-1 f v", "XADD x 2-1 f w", "XGROUP CREATE x g 0", "XREADGROUP GROUP g c COUNT 1 STREAMS x >"} {
			do(t, a, 0, line)
		}
	})
	b, _, err := load(t, a, files(dir, disk.OS{}), false)
	require.NoError(t, err)
	var both [2]string
	for i, e := range []*enginetest.Fixture{a, b} {
		h := e.Lock()
		both[i] = run(t, h, 0, "XPENDING", "x", "g", "-", "+", "10") + run(t, h, 0, "XINFO", "CONSUMERS", "x", "g")
		h.Unlock()
	}
	require.Equal(t, both[0], both[1])
}

// A real redis-server starts from our directory, and redis-check-aof finds it clean.
func TestRedisLoadsOurs(t *testing.T) {
	dir := t.TempDir()
	a := enginetest.New(t)
	a.SetTime(engine.SystemClock{}.Now())
	logged(t, a, files(dir, disk.OS{}), func(*aof.Log) { tell(t, a) })
	out, err := exec.Command("redis-check-aof", filepath.Join(dir, "appendonlydir", "appendonly.aof.manifest")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "is valid")
	r := realredis.Start(t, "--dir", dir, "--appendonly", "yes")
	require.Equal(t, "2x", r.Text(t, "GET", "s"))
	var theirs []string
	for db := range 2 {
		r.Do(t, "SELECT", fmt.Sprint(db))
		for _, key := range r.Strings(t, "KEYS", "*") {
			theirs = append(theirs, fmt.Sprint(db, " ", key))
			var dump string
			h := a.Lock()
			for _, cmd := range [][]string{{"GET", key}, {"HGETALL", key}, {"LRANGE", key, "0", "-1"}, {"ZRANGE", key, "0", "-1", "WITHSCORES"}, {"XRANGE", key, "-", "+"}} {
				kind := map[string]string{"GET": "string", "HGETALL": "hash", "LRANGE": "list", "ZRANGE": "zset", "XRANGE": "stream"}[cmd[0]]
				if r.Text(t, "TYPE", key) == kind {
					dump = run(t, h, db, cmd...)
					require.Equal(t, r.Do(t, cmd...), dump, key)
				}
			}
			h.Unlock()
		}
	}
	var ours []string
	for key := range content(t, a) {
		ours = append(ours, key)
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	require.Equal(t, ours, theirs)
}

// We start from a real redis-server's directory: its base, and commands since.
func TestOursLoadsRedis(t *testing.T) {
	dir := t.TempDir()
	r := realredis.Start(t, "--dir", dir, "--appendonly", "yes", "--appendfsync", "always", "--aof-timestamp-enabled", "yes")
	r.Do(t, "SET", "k", "v")
	r.Do(t, "RPUSH", "l", "1", "2")
	r.Do(t, "EVAL", "redis.call('SET', 'a', '1'); redis.call('SET', 'b', '2')", "0")
	r.Do(t, "SELECT", "1")
	r.Do(t, "HSET", "h", "f", "v")
	e, l, err := load(t, enginetest.New(t), files(dir, disk.OS{}), false)
	require.NoError(t, err)
	require.Equal(t, int64(4), l.Units)
	h := e.Lock()
	defer h.Unlock()
	require.Equal(t, "$1\r\n2\r\n", run(t, h, 0, "GET", "b"))
	require.Equal(t, "*2\r\n$1\r\n1\r\n$1\r\n2\r\n", run(t, h, 0, "LRANGE", "l", "0", "-1"))
	require.Equal(t, "$1\r\nv\r\n", run(t, h, 1, "HGET", "h", "f"))
}

// Wherever a file is cut, what was whole is loaded, and what is written then is there
// at the start after that.
func TestTornTails(t *testing.T) {
	dir := t.TempDir()
	f := files(dir, disk.OS{})
	a := enginetest.New(t)
	logged(t, a, f, func(*aof.Log) { do(t, a, 0, "SET first 1") })
	logged(t, a, f, func(*aof.Log) { do(t, a, 0, "SET a 1", "SET b 1") })
	ours, err := os.ReadFile(only(t, dir))
	require.NoError(t, err)
	theirs := bytes.ReplaceAll(ours, []byte("#coatcheck:"), []byte("#TS:")) // as Redis writes
	for _, whole := range [][]byte{ours, theirs} {
		for n := 0; n < len(whole); n += 3 {
			require.NoError(t, os.WriteFile(only(t, dir), whole[:n], 0o600))
			_, _, err := load(t, a, f, false)
			b, l, err2 := load(t, a, f, true)
			require.NoError(t, err2, n)
			require.Equal(t, err != nil, l.Cut > 0, n)
			has := content(t, b)
			require.Equal(t, has["0 a"], has["0 b"], n)
			require.Empty(t, has["0 a"], n)
			logged(t, b, f, func(*aof.Log) { do(t, b, 1, "SET since 1") })
			c, _, err := load(t, a, f, false)
			require.NoError(t, err, n)
			require.NotEmpty(t, content(t, c)["1 since"], n)
			require.Equal(t, content(t, b), content(t, c), n)
		}
	}
}

// A flipped bit is found, or does no harm.
func TestFlippedBits(t *testing.T) {
	dir := t.TempDir()
	f := files(dir, disk.OS{})
	a := enginetest.New(t)
	for i := range 3 {
		logged(t, a, f, func(*aof.Log) { do(t, a, i%2, fmt.Sprint("SET k", i, " 1"), fmt.Sprint("INCR k", i)) })
	}
	want := content(t, a)
	whole, err := os.ReadFile(only(t, dir))
	require.NoError(t, err)
	found := 0
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		require.NoError(t, os.WriteFile(only(t, dir), b, 0o600))
		e, _, err := load(t, a, f, true)
		if err != nil {
			require.ErrorIs(t, err, aof.ErrFormat)
			found++
			continue
		}
		require.Equal(t, want, content(t, e), "a bit of byte %d of %q", i, b)
	}
	require.Greater(t, found, len(whole)*3/4)
}

func TestWhatIsRefused(t *testing.T) {
	for _, text := range []string{
		"*1\r\n$8\r\nSHUTDOWN\r\n", "*2\r\n$5\r\nDEBUG\r\n$8\r\nSEGFAULT\r\n", "*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nMULTI\r\n", "*1\r\n$4\r\nEXEC\r\n",
		"*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$3\r\ndir\r\n$1\r\n/\r\n", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "*0\r\n", "*-1\r\n", "*1\n$4\nEXEC\n",
		"*99999999999999999999\r\n", "*1\r\n$-1\r\n", "PING\r\n", "*2\r\n$6\r\nSELECT\r\n$2\r\n99\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n",
		"*2\r\n$6\r\nSELECT\r\n$2\r\n-1\r\n", "*2\r\n$3\r\nSET\r\n$1\r\nk\r\n", "*3\r\n$3\r\nSET\r\n$1\r\nkk\r\n$1\r\nv\r\n", strings.Repeat("#", 2000) + "\n",
	} {
		dir := t.TempDir()
		f := files(dir, disk.OS{})
		a := enginetest.New(t)
		logged(t, a, f, func(*aof.Log) {})
		require.NoError(t, os.WriteFile(only(t, dir), []byte(text), 0o600))
		_, _, err := load(t, a, f, true)
		require.ErrorIs(t, err, aof.ErrFormat, "%q", text)
	}
}

func TestManifests(t *testing.T) {
	dir := t.TempDir()
	f := files(dir, disk.OS{})
	a := enginetest.New(t)
	_, _, err := load(t, a, f, false)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotErrorIs(t, err, aof.ErrNoManifest)
	logged(t, a, f, func(*aof.Log) {})
	path := filepath.Join(f.Dir, "appendonly.aof.manifest")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "file appendonly.aof.1.incr.aof seq 1 type i\n", string(text))
	for _, bad := range []string{
		"", "\n", "x", "file a seq 1", "file a seq 0 type i", "file a seq x type i", "file a seq 1 type z", "file ../a seq 1 type i", "file /a seq 1 type b",
		"file a seq 1 type b\nfile b seq 2 type b", "file a seq 2 type i\nfile b seq 1 type i", "file \"a seq 1 type i", "file missing seq 1 type i\n",
		"file " + strings.Repeat("a", 2000) + " seq 1 type i",
	} {
		require.NoError(t, os.WriteFile(path, []byte(bad), 0o600))
		_, _, err := load(t, a, f, true)
		require.ErrorIs(t, err, aof.ErrFormat, "%q", bad)
		require.NotErrorIs(t, err, fs.ErrNotExist, "%q", bad)
	}
	require.NoError(t, os.WriteFile(path, []byte("# a comment\ntype i seq 1 file \"appendonly.aof.1\\x2eincr.aof\"\n"), 0o600))
	_, _, err = load(t, a, f, true)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	_, _, err = load(t, a, f, true)
	require.ErrorIs(t, err, aof.ErrNoManifest)
}

// Whatever file call fails, for a while, all is there when the disk is well again.
func TestEveryFileCallMayFail(t *testing.T) {
	errDisk := errors.New("the disk is full")
	for n := 1; ; n++ {
		dir := t.TempDir()
		faulty := &disktest.Faulty{FS: disk.OS{}}
		f := files(dir, faulty)
		a := enginetest.New(t)
		s, err := aof.Take(f)
		require.NoError(t, err)
		l, err := s.Open(aof.EverySecond, quiet)
		require.NoError(t, err)
		h := a.Lock()
		h.AddSink(l)
		h.Unlock()
		before := faulty.Calls()
		faulty.Fail(n, 1, errDisk, true)
		for i := range 3 {
			do(t, a, 0, fmt.Sprint("SET k", i, " v"), "INCR n")
		}
		require.Eventually(t, func() bool { s := l.State(); return s.Pending == 0 && s.Err == nil && s.Size > 0 }, wait, tick)
		h = a.Lock()
		h.RemoveSink(l)
		h.Unlock()
		err = l.Close()
		calls := faulty.Calls() - before
		require.NoError(t, s.Close())
		if err != nil { // it failed at the very end
			require.ErrorIs(t, err, errDisk)
		}
		b, _, err := load(t, a, files(dir, disk.OS{}), true)
		require.NoError(t, err, n)
		if l.State().Err == nil {
			require.Equal(t, content(t, a), content(t, b), n)
		}
		if calls < n {
			return
		}
	}
}

const wait, tick = 30e9, 2e6
