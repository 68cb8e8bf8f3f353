// Command coatcheck-bff is a backend for a frontend: it signs users in with an OpenID
// provider, keeps their sessions here or in a Redis, and passes their requests on to
// APIs. It is configured by the environment and a .env file; docs/bff.md tells more.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/joho/godotenv"

	"coatcheck/bff/server"
)

func main() {
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	os.Exit(run(os.Args[1:], os.Environ(), stop, os.Stdout, os.Stderr))
}

const usage = `coatcheck-bff [--env FILE] [--check-config | --variables]

A backend for a frontend. It reads .env in this directory, or FILE, and the
environment, which wins.

  --check-config  says whether it would start
  --variables     all variables, as a table
`

// run is the program: it returns the exit status, 0 for all well.
func run(args, environ []string, stop <-chan os.Signal, stdout, stderr io.Writer) int {
	file, checkOnly := "", false
	for len(args) > 0 {
		switch args[0] {
		case "--help", "-h", "help":
			fmt.Fprint(stdout, usage)
			return 0
		case "--variables":
			fmt.Fprint(stdout, server.Table())
			return 0
		case "--check-config":
			checkOnly = true
		case "--env":
			if len(args) < 2 {
				fmt.Fprintln(stderr, "--env FILE")
				return 2
			}
			file, args = args[1], args[1:]
		default:
			fmt.Fprintf(stderr, "%s is nothing that is known here.\n\n%s", args[0], usage)
			return 2
		}
		args = args[1:]
	}
	environ, err := withFile(file, environ)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	cfg, err := server.Load(environ)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	if checkOnly {
		for _, w := range cfg.Warnings {
			fmt.Fprintln(stdout, "warning:", w)
		}
		fmt.Fprintln(stdout, "the configuration is right")
		return 0
	}
	if err := serve(cfg, stop, stderr); err != nil {
		fmt.Fprintln(stderr, "coatcheck-bff:", err)
		return 1
	}
	return 0
}

// withFile adds the variables of a file to those of the environment, which win. Without
// a name it is .env, which need not be there.
func withFile(file string, environ []string) ([]string, error) {
	name := file
	if name == "" {
		name = ".env"
	}
	vars, err := godotenv.Read(name)
	if file == "" && errors.Is(err, fs.ErrNotExist) {
		return environ, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read as variables", name) // its text may have secrets
	}
	have := map[string]bool{}
	for _, entry := range environ {
		key, _, _ := strings.Cut(entry, "=")
		have[key] = true
	}
	for key, val := range vars {
		if !have[key] {
			environ = append(environ, key+"="+val)
		}
	}
	return environ, nil
}
