// Package deploy_test checks the files for running the server as a service, as far
// as that goes without the systems that read them.
package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// binary is the server, built as the Dockerfile does.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "deploy")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "coatcheck")
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "./cmd/coatcheck")
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

func TestDockerfile(t *testing.T) {
	text := read(t, "Dockerfile")
	require.Contains(t, text, `CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/coatcheck ./cmd/coatcheck`)
	require.Regexp(t, `(?m)^USER 65532:65532$`, text)
	require.Regexp(t, `(?m)^HEALTHCHECK .*CMD \["/coatcheck", "health"\]$`, text)
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "../go.mod"))[1]
	require.Contains(t, text, "FROM golang:"+goVersion+" AS build")

	// An empty image has no loader: the binary must not need one.
	out, err := exec.Command("readelf", "--program-headers", binary).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), "INTERP", "static")

	// What its variables say is a configuration.
	var env []string
	for _, m := range regexp.MustCompile(`(COATCHECK_[A-Z_]+)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		env = append(env, m[1]+"="+m[2])
	}
	require.Len(t, env, 2)
	checkConfig(t, env)
}

func checkConfig(t *testing.T, env []string, args ...string) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"--check-config"}, args...)...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), "warning")
}

func TestCompose(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Build       struct{ Context, Dockerfile string }
			Image       string
			Environment map[string]string
			Ports       []string
			Volumes     []string
			DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
			Restart     string
			ReadOnly    bool     `yaml:"read_only"`
			CapDrop     []string `yaml:"cap_drop"`
			SecurityOpt []string `yaml:"security_opt"`
		}
		Volumes map[string]any
	}
	dec := yaml.NewDecoder(strings.NewReader(read(t, "compose.yaml")))
	dec.KnownFields(true)
	require.NoError(t, dec.Decode(&file))
	require.Len(t, file.Services, 2)

	store := file.Services["redis_server"]
	require.FileExists(t, filepath.Join(store.Build.Context, store.Build.Dockerfile))
	require.FileExists(t, filepath.Join(store.Build.Context, "go.mod"))
	var env []string
	for name, value := range store.Environment {
		env = append(env, name+"="+value)
	}
	checkConfig(t, env)
	// The rest of the container is read-only, and a server that cannot save
	// takes no writes.
	require.Equal(t, []string{"sessions:/data"}, store.Volumes)
	require.Contains(t, file.Volumes, "sessions")
	require.Contains(t, read(t, "Dockerfile"), "WORKDIR /data\n")

	commander := file.Services["redis_commander"]
	require.Equal(t, "redis_server", commander.Environment["REDIS_HOST"])
	require.Equal(t, store.Environment["REDIS_PASSWORD"], commander.Environment["REDIS_PASSWORD"])
	require.Equal(t, "admin", commander.Environment["HTTP_USER"])
	require.Equal(t, "admin", commander.Environment["HTTP_PASSWORD"])
	require.Equal(t, []string{"127.0.0.1:8081:8081"}, commander.Ports)
	require.Equal(t, "service_healthy", commander.DependsOn["redis_server"].Condition)
	for _, service := range file.Services {
		for _, port := range service.Ports {
			require.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s is for this machine only", port)
		}
	}
}

// systemd-analyze reads the unit with the binary and the configuration in places
// that exist here.
func TestSystemdUnit(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "redis.conf")
	require.NoError(t, os.WriteFile(conf, []byte(read(t, "redis.conf")), 0o600))
	text := read(t, "coatcheck.service")
	require.Contains(t, text, "Type=notify")
	require.Equal(t, 3, strings.Count(text, "/usr/local/bin/coatcheck"), "the install line and two commands")
	text = strings.NewReplacer("/usr/local/bin/coatcheck", binary, "/etc/coatcheck/redis.conf", conf).Replace(text)
	unit := filepath.Join(dir, "coatcheck.service")
	require.NoError(t, os.WriteFile(unit, []byte(text), 0o644))

	out, err := exec.Command("systemd-analyze", "verify", unit).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, line := range strings.Split(string(out), "\n") {
		require.NotContains(t, line, "coatcheck.service", "systemd has something to say of the unit")
	}
	checkConfig(t, nil, conf)
}
