package doctest

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPages runs README.md and the pages in docs: their commands, files and code.
func TestPages(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "./cmd/coatcheck", "./cmd/coatcheck-bff")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	code := testCode(t, root)
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	readme := filepath.Join(root, "README.md")
	if _, err := os.Stat(readme); err == nil {
		pages = append(pages, readme)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			r := Runner{Code: code, Patience: 3 * time.Minute}
			ports := freePorts(t)
			r.Rewrite = rewriter(ports)
			tools := t.TempDir()
			port := ports["6379"]
			require.NoError(t, WaitingClient(tools, "redis-cli", port, "-p", port))
			web := ports["9121"]
			if filepath.Base(page) == "bff.md" {
				web = ports["3000"]
			}
			require.NoError(t, WaitingClient(tools, "curl", web, "--silent"))
			r.Env = []string{
				"PATH=" + tools + ":" + bin + ":" + os.Getenv("PATH"),
				"COATCHECK_PORT=" + port, // where a command names none
				"LC_ALL=C",
			}
			r.Run(t, page)
		})
	}
}

// wellKnown are the ports that pages speak of.
var wellKnown = []string{"6379", "6380", "9121", "8081", "8080", "3000", "3001"}

func freePorts(t *testing.T) map[string]string {
	t.Helper()
	ports := map[string]string{}
	for _, p := range wellKnown {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		ports[p] = fmt.Sprint(ln.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// rewriter puts free ports in the place of well-known ones, and the built binary in
// the place of go run.
func rewriter(ports map[string]string) func(string) string {
	number := regexp.MustCompile(`\b(` + strings.Join(wellKnown, "|") + `)\b`)
	return func(text string) string {
		text = strings.ReplaceAll(text, "go run ./cmd/coatcheck", "coatcheck")
		return number.ReplaceAllStringFunc(text, func(p string) string { return ports[p] })
	}
}

// testCode is the Go code of all tests, without indentation and blank lines.
func testCode(t *testing.T, root string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		all.WriteString(NormalGo(string(text)))
		return err
	})
	require.NoError(t, err)
	return all.String()
}

func TestNormalGo(t *testing.T) {
	require.Contains(t, NormalGo("func x() {\n\n\tif y {\n\t\tz()\n\t}\n}\n"), NormalGo("if y {\n    z()\n}"))
	require.NotContains(t, NormalGo("\tz()\n"), NormalGo("z"))
}
