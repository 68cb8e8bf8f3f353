package clienttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// target is the server under test.
var target struct {
	bin string
	// isRedis is set when it is a redis-server instead of ours.
	isRedis bool
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "clienttest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer removeAll(dir)
	if err := chooseTarget(dir); err != nil {
		fmt.Fprintln(os.Stderr, "clienttest:", err)
		return 1
	}
	return m.Run()
}

// removeAll removes what a test left; what it cannot remove stays.
func removeAll(dir string) {
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "clienttest:", err)
	}
}

// chooseTarget reads CLIENTTEST_TARGET and builds our server into dir unless
// another one is asked for.
func chooseTarget(dir string) error {
	switch want := os.Getenv("CLIENTTEST_TARGET"); want {
	case "", "coatcheck":
		target.bin = filepath.Join(dir, "coatcheck")
		args := []string{"build", "-o", target.bin}
		if raceBuild {
			args = append(args, "-race")
		}
		build := exec.Command("go", append(args, "./cmd/coatcheck")...)
		build.Dir = ".."
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build ./cmd/coatcheck: %w\n%s", err, out)
		}
		return nil
	case "redis":
		path, err := exec.LookPath("redis-server")
		if err != nil {
			return fmt.Errorf("CLIENTTEST_TARGET=redis: %w (.ci/install-deps installs it)", err)
		}
		target.bin, target.isRedis = path, true
		return nil
	default:
		target.bin = want
		target.isRedis = strings.Contains(filepath.Base(want), "redis")
		return nil
	}
}
