//go:build unix

package server

import (
	"net"
	"os"
	"syscall"
	"time"
)

// setBacklog sets how many connections the kernel keeps waiting for ln.
func setBacklog(ln net.Listener, n int) error {
	raw, err := ln.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = syscall.Listen(int(fd), n) }); err != nil {
		return err
	}
	return os.NewSyscallError("listen", failed)
}

// listenUnix listens on a unix socket at path. Its permissions are set before
// anybody can connect (0: as umask has it).
func listenUnix(path string, perm uint32, backlog int) (net.Listener, error) {
	// What a server that was killed left behind.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close() // FileListener has its own
	syscall.CloseOnExec(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	if perm != 0 {
		if err := os.Chmod(path, os.FileMode(perm)); err != nil {
			return nil, err
		}
	}
	if err := syscall.Listen(fd, backlog); err != nil {
		return nil, os.NewSyscallError("listen", err)
	}
	return net.FileListener(f)
}

// keepAlive makes a dead peer noticed after some idle seconds; 0 turns it off.
func keepAlive(conn *net.TCPConn, idle int) {
	// A connection without it works too.
	_ = conn.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable: idle > 0, Idle: time.Duration(idle) * time.Second,
		Interval: time.Duration(max(idle/3, 1)) * time.Second, Count: 3,
	})
}
