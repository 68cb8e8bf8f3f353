package clienttest

import (
	"os/exec"
	"syscall"
)

// ownGroup gives cmd a process group of its own, which kill ends as a whole,
// and lets it die with the tests.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
