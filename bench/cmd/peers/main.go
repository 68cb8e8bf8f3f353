//go:build linux

// Command peers measures our server beside redis-server and others, in turns in
// one run, and writes a table and a plot.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"coatcheck/bench/peers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, log io.Writer) error {
	opts := peers.Options{Scale: peers.Full, Command: strings.Join(append([]string{"go run ./bench/cmd/peers"}, args...), " ")}
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "only show that everything works")
	names := flags.String("peers", strings.Join(peers.DefaultPeers, ","), "servers to compare, those present of")
	parts := flags.String("parts", strings.Join(peers.AllParts, ","), "what to measure")
	dir := flags.String("out", "", "directory of the results (default bench/results in the tree)")
	limit := flags.Duration("limit", 30*time.Minute, "end after so long, whatever happens")
	rounds := flags.Int("rounds", 0, "rounds of a measurement (default 7)")
	flags.StringVar(&opts.Ours, "ours", "", "our server's program (default: built from the tree)")
	flags.StringVar(&opts.Redis, "redis", "redis-server", "redis-server's program")
	flags.StringVar(&opts.Valkey, "valkey", "valkey-server", "valkey-server's program")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *quick {
		opts.Scale = peers.Quick
	}
	if *rounds > 0 {
		opts.Scale.Rounds = *rounds
	}
	opts.Peers, opts.Parts = strings.Split(*names, ","), strings.Split(*parts, ",")
	opts.Log = func(line string) { fmt.Fprintln(log, line) }
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	report, err := peers.Run(ctx, opts)
	if err != nil {
		return err
	}
	return write(report, *dir, log)
}

// write puts the table and the plot into the directory.
func write(report *peers.Report, dir string, log io.Writer) error {
	if dir == "" {
		dir = filepath.Join(report.Root, "bench", "results")
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	name := report.ResultName(dir)
	plot, err := os.Create(name + ".svg")
	if err != nil {
		return err
	}
	page, err := os.Create(name + ".md")
	if err != nil {
		return err
	}
	err = errors.Join(report.Plot(plot), report.Markdown(page, filepath.Base(name)+".svg"), plot.Close(), page.Close())
	fmt.Fprintf(log, "wrote %s.md and .svg\n", name)
	return err
}
