package clienttest

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Debian's own Python, since another one in PATH has not Debian's packages.
const python = "/usr/bin/python3"

func TestPython(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command(python, "-c", "import redis").CombinedOutput(); err != nil {
		t.Fatalf("%s has no redis client: .ci/install-deps installs python3-redis (%v)\n%s", python, err, out)
	}
	s := startTLSServer(t)
	cmd := exec.CommandContext(t.Context(), python, "-W", "ignore::DeprecationWarning", "-m", "unittest", "-v", "sessions.py")
	ownGroup(cmd)
	cmd.Dir = "python"
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1",
		"TARGET_HOST="+s.Host, "TARGET_PORT="+strconv.Itoa(s.Port), "TARGET_SOCKET="+s.Socket,
		"TARGET_TLS_PORT="+strconv.Itoa(s.TLSPort), "TARGET_CA="+s.Certs.CA, "TARGET_PASSWORD="+password)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Regexp(t, `(?m)^Ran [1-9]\d* tests in `, string(out))
}
