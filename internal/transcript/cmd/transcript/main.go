// Command transcript replays transcripts on a running Redis, or records what it
// answers:
//
//	transcript replay -addr 127.0.0.1:6379 testdata/transcripts
//	transcript record -addr 127.0.0.1:6379 testdata/transcripts/strings/get.txt
//
// The server's keys are flushed before every file.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"coatcheck/internal/transcript"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "transcript:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 0 || args[0] != "replay" && args[0] != "record" {
		return errors.New("usage: transcript replay|record -addr host:port path…")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:6379", "the server's host:port, or path of its unix socket")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	target, err := transcript.Peer(dialer(*addr))
	if err != nil {
		return err
	}
	var failed error
	for _, path := range flags.Args() {
		files, err := transcript.ReadDir(path)
		if err != nil {
			return err
		}
		for _, f := range files {
			if args[0] == "record" {
				err = record(f, target)
			} else {
				err = f.Replay(target)
			}
			state := "ok  "
			if err != nil {
				state, failed = "FAIL", errors.New("not all went well")
				fmt.Fprintln(out, err)
			}
			fmt.Fprintln(out, state, f.Name)
		}
	}
	return failed
}

func dialer(addr string) func() (net.Conn, error) {
	network := "tcp"
	if strings.Contains(addr, "/") {
		network = "unix"
	}
	return func() (net.Conn, error) { return net.Dial(network, addr) }
}

func record(f *transcript.File, target transcript.Target) error {
	text, err := f.Record(target)
	if err != nil {
		return err
	}
	return os.WriteFile(f.Name, []byte(text), 0o644)
}
