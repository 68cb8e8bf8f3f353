package doctest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Shell is a bash in which the commands of a page run one after another.
type Shell struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	n   int
}

// StartShell starts a shell in dir. It reads no start-up files; env is all the
// environment it has. Close ends it and all that it started.
func StartShell(dir string, env []string) (*Shell, error) {
	cmd := exec.Command("bash", "--noprofile", "--norc")
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a shell: %w", err)
	}
	s := &Shell{cmd: cmd, in: in, out: bufio.NewReader(out)}
	_, err = io.WriteString(in, "exec 2>&1\n")
	return s, err
}

// Run runs a command and returns what it printed, line by line, and its exit
// status. A command in the background (… &) prints to the file background.log
// in the shell's directory, unless it says where.
func (s *Shell) Run(command string) (output []string, status int, err error) {
	if isBackground(command) {
		command = strings.TrimSuffix(strings.TrimSpace(command), "&")
		if !strings.Contains(command, ">") {
			command += " >> background.log 2>&1"
		}
		command += " </dev/null &"
	} else {
		command = "{ " + command + "\n} </dev/null"
	}
	s.n++
	mark := fmt.Sprintf("@@doctest %d ", s.n)
	if _, err := fmt.Fprintf(s.in, "%s\nprintf '\\n%s%%d\\n' $?\n", command, mark); err != nil {
		return nil, 0, err
	}
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			return output, 0, fmt.Errorf("the shell ended: %w", err)
		}
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, mark); ok {
			status, err = strconv.Atoi(rest)
			return trimLast(output), status, err
		}
		output = append(output, line)
	}
}

func isBackground(command string) bool {
	text := strings.TrimSpace(command)
	return strings.HasSuffix(text, "&") && !strings.HasSuffix(text, "&&")
}

// trimLast takes the line break before the mark away again.
func trimLast(output []string) []string {
	if n := len(output); n > 0 && output[n-1] == "" {
		return output[:n-1]
	}
	return output
}

// Close ends the shell and everything that it started.
func (s *Shell) Close() {
	_ = s.in.Close()
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
}

// WaitingClient writes a command called name into dir that waits until port
// answers and then runs the real program with args before its own arguments: a
// page's reader types slower than a server starts, a test does not.
func WaitingClient(dir, name, port string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	script := fmt.Sprintf(`#!/bin/bash
for i in $(seq 1000); do
  (echo > /dev/tcp/127.0.0.1/%s) 2>/dev/null && break
  sleep 0.02
done
exec %s %s "$@"
`, port, path, strings.Join(args, " "))
	return os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755)
}
