//go:build linux

package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"coatcheck/bench/driver"
)

// Peer is a server program that can be measured.
type Peer struct {
	Name    string // "coatcheck", "redis", "valkey", "miniredis"
	Path    string // the program
	Version string // as the running server tells it
	args    func(port string) []string
}

// Ours is the name of our own server among the peers, Reference that of the one
// whose figures the ratios refer to.
const (
	Ours      = "coatcheck"
	Reference = "redis"
)

// redisArgs start a server that takes redis-style flags: loopback, nothing
// written to disk, room for the largest number of connections.
func redisArgs(port string) []string {
	return []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--maxclients", "12000"}
}

// find looks for the programs of the peers wanted. Ours is built from the tree
// unless a program is given. A peer that is not there is left out, except ours
// and the reference.
func find(ctx context.Context, opts Options, dir string) ([]*Peer, error) {
	var found []*Peer
	for _, name := range opts.Peers {
		peer := &Peer{Name: name, args: redisArgs}
		var err error
		switch name {
		case Ours:
			peer.Path, err = opts.Ours, nil
			if peer.Path == "" {
				peer.Path, err = build(ctx, dir, opts.Root, "./cmd/coatcheck")
			}
		case Reference:
			peer.Path, err = exec.LookPath(opts.Redis)
		case "valkey":
			if peer.Path, err = exec.LookPath(opts.Valkey); err != nil {
				continue
			}
		case "miniredis":
			// Its own module: the server shall not depend on a rival.
			peer.args = func(port string) []string { return []string{port} }
			if peer.Path, err = build(ctx, dir, filepath.Join(opts.Root, "bench", "miniredis"), "."); err != nil {
				opts.logf("miniredis is left out: %v", err)
				continue
			}
		default:
			err = errors.New("no such peer")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		found = append(found, peer)
	}
	return found, nil
}

func build(ctx context.Context, dir, from, pkg string) (path string, err error) {
	path = filepath.Join(dir, filepath.Base(from)+"-"+filepath.Base(pkg))
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", path, pkg)
	cmd.Dir = from
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return path, nil
}

// instance is a running server.
type instance struct {
	peer   *Peer
	addr   string
	cmd    *exec.Cmd
	output bytes.Buffer
	dir    string
	ctl    *driver.Client
	// startup is the time from starting the program to its first PONG.
	startup time.Duration
}

// start runs the peer on a free port of the loopback and waits until it answers.
func (p *Peer) start(ctx context.Context) (*instance, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-"+p.Name)
	if err != nil {
		return nil, err
	}
	in := &instance{peer: p, addr: "tcp:127.0.0.1:" + port, dir: dir, cmd: exec.CommandContext(ctx, p.Path, p.args(port)...)}
	in.cmd.Dir = dir
	in.cmd.Stdout, in.cmd.Stderr = &in.output, &in.output
	begin := time.Now()
	if err := in.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	for time.Since(begin) < 20*time.Second && ctx.Err() == nil {
		if in.ctl, err = driver.Dial(in.addr); err == nil {
			if _, err = in.ctl.Do("PING"); err == nil {
				in.startup = time.Since(begin)
				p.Version = in.version()
				return in, nil
			}
			in.ctl.Close()
		}
		time.Sleep(100 * time.Microsecond)
	}
	in.ctl = nil
	in.stop()
	return nil, fmt.Errorf("%s does not answer: %w\n%s", p.Name, err, in.output.Bytes())
}

// stop ends the server and waits for it.
func (in *instance) stop() {
	if in.ctl != nil {
		in.ctl.Close()
	}
	in.cmd.Process.Kill() //nolint:errcheck // it may have ended
	in.cmd.Wait()         //nolint:errcheck // it was killed
	os.RemoveAll(in.dir)  //nolint:errcheck // a temporary directory
}

func (in *instance) pid() int { return in.cmd.Process.Pid }

// version is what the server says of itself in INFO.
func (in *instance) version() string {
	info, err := in.ctl.Do("INFO", "server")
	if err != nil {
		return ""
	}
	for _, name := range []string{Ours, "valkey", "redis"} {
		if v := field([]byte(strings.ReplaceAll(info, "\r", "")), name+"_version"); v != "" {
			return v
		}
	}
	return ""
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}
