//go:build linux

// Package peers runs our server and others side by side on one machine and
// compares them: the same load by the same driver, in turns (A B A B …), so that
// what else goes on on the machine meets all of them. It knows the other servers
// only from outside: their sockets, /proc, their CPU clocks.
package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Options say what to measure.
type Options struct {
	Peers  []string // names, in the order of the turns; nil means DefaultPeers
	Ours   string   // program of our server; "" builds it from the tree
	Redis  string   // redis-server's program or name on PATH
	Valkey string   // valkey-server's
	Root   string   // the tree; "" asks go
	Parts  []string // parts to run; nil means all of AllParts
	Scale  Scale
	Log    func(line string) // nil says nothing
	// Command is the command line that repeats the run, for the report.
	Command string
}

// DefaultPeers are all that can be measured.
var DefaultPeers = []string{Ours, Reference, "valkey", "miniredis"}

// AllParts are the parts of a run, in their order.
var AllParts = []string{"start", "speed", "conns", "sessions", "open", "types", "memory", "expiry", "allocs"}

// Scale is how much to do.
type Scale struct {
	Rounds         int
	Slice          time.Duration // of one measurement of speed
	Ops            int           // or so many commands, when not 0
	Sessions       int           // for speed
	ManyConns      []int
	Starts         int
	MemorySessions int
	ExpirySessions int
	ExpirySpread   time.Duration
	ExpiryPatience time.Duration // how long after the last deadline to wait for a server
}

// Full is the scale of a run that is published.
var Full = Scale{
	Rounds: 7, Slice: 700 * time.Millisecond, Sessions: 100_000, ManyConns: []int{1000, 10_000},
	Starts: 15, MemorySessions: 1_000_000,
	ExpirySessions: 200_000, ExpirySpread: 10 * time.Second, ExpiryPatience: 10 * time.Second,
}

// Quick only shows that everything works; its figures mean nothing.
var Quick = Scale{
	Rounds: 1, Ops: 400, Sessions: 300, ManyConns: []int{60}, Starts: 1, MemorySessions: 3000,
	ExpirySessions: 300, ExpirySpread: 200 * time.Millisecond, ExpiryPatience: 2 * time.Second,
}

// run is a comparison that is going on.
type run struct {
	Options
	ctx    context.Context
	peers  []*Peer
	report *Report
}

// Run measures and returns the report. It stops its servers.
func Run(ctx context.Context, opts Options) (*Report, error) {
	if opts.Peers == nil {
		opts.Peers = DefaultPeers
	}
	if opts.Parts == nil {
		opts.Parts = AllParts
	}
	if err := opts.findRoot(ctx); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-peers")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	r := &run{Options: opts, ctx: ctx, report: &Report{
		Root: opts.Root, Machine: ThisMachine(), Date: time.Now(), Commit: commit(ctx, opts.Root), Command: opts.Command, Scale: opts.Scale,
	}}
	if r.peers, err = find(ctx, opts, dir); err != nil {
		return nil, err
	}
	r.report.Peers = r.peers
	r.report.LoadBefore = LoadAverage()
	err = r.parts()
	r.report.LoadAfter = LoadAverage()
	return r.report, err
}

func (r *run) parts() error {
	parts := map[string]func() error{
		"start": r.startTimes, "speed": r.speed, "conns": r.manyConns, "sessions": r.sessionLife,
		"open": r.openLoop, "types": r.types, "memory": r.memory, "expiry": r.expiry, "allocs": r.allocs,
	}
	for _, name := range r.Parts {
		part, ok := parts[name]
		if !ok {
			return fmt.Errorf("no part %q; there are %s", name, strings.Join(AllParts, ", "))
		}
		r.logf("%s", name)
		if err := part(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (o *Options) findRoot(ctx context.Context) error {
	if o.Root != "" {
		return nil
	}
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the tree: %w", err)
	}
	o.Root = strings.TrimSpace(string(out))
	return nil
}

// commit names the tree's commit, with "-dirty" when it was changed since.
func commit(ctx context.Context, root string) string {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	id, err := git("rev-parse", "--short=10", "HEAD")
	if err != nil {
		return "unknown"
	}
	if changed, err := git("status", "--porcelain", "--", ".", ":!bench/results"); err != nil || changed != "" {
		id += "-dirty"
	}
	return id
}

func (o *Options) logf(format string, args ...any) {
	if o.Log != nil {
		o.Log(fmt.Sprintf(format, args...))
	}
}

// each does something for every peer in turn, with a server of its own.
func (r *run) each(do func(in *instance) error) error {
	for _, p := range r.peers {
		in, err := p.start(r.ctx)
		if err != nil {
			return err
		}
		err = do(in)
		in.stop()
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

// startTimes measures from starting the program to its first PONG.
func (r *run) startTimes() error {
	m := r.report.measure("Start", "program start to first PONG", "ms")
	rss := r.report.measure("Start", "resident memory, empty", "MiB")
	for range r.Scale.Starts {
		err := r.each(func(in *instance) error {
			m.add(in.peer, in.startup.Seconds()*1e3)
			used, err := RSS(in.pid())
			rss.add(in.peer, float64(used)/(1<<20))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// allocs runs the Go benchmarks of the hot path and takes their allocations.
func (r *run) allocs() error {
	cmd := exec.CommandContext(r.ctx, "go", "test", "-run", "^$", "-bench", "HotPath", "-benchmem", "-benchtime", "20000x", "./bench")
	cmd.Dir = r.Root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return r.takeAllocs(string(out))
}

func (r *run) takeAllocs(out string) error {
	var ours *Peer
	for _, p := range r.peers {
		if p.Name == Ours {
			ours = p
		}
	}
	found := false
	for _, line := range strings.Split(out, "\n") {
		f := strings.Fields(line)
		if ours == nil || len(f) < 8 || f[len(f)-1] != "allocs/op" {
			continue
		}
		var n float64
		if _, err := fmt.Sscan(f[len(f)-2], &n); err != nil {
			return err
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(f[0], "BenchmarkHotPath/"), "-")
		r.report.measure("Hot path", "allocations, "+name, "a command").atMost(0).add(ours, n)
		found = true
	}
	if ours != nil && !found {
		return errors.New("no benchmark of the hot path told its allocations:\n" + out)
	}
	return nil
}

// ResultName is the name of the result files, without an extension.
func (rep *Report) ResultName(dir string) string {
	return filepath.Join(dir, rep.Date.Format("2006-01-02")+"-"+rep.Commit)
}
