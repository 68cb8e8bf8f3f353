//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/bench/peers"
)

// A quick run writes a page with every part and a plot that is XML. What the
// figures are is none of a test's business.
func TestQuickRun(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	args := []string{"-quick", "-peers", "coatcheck,redis", "-out", dir,
		"-parts", strings.Join(peers.AllParts, ","), "-limit", "3m"}
	require.NoError(t, run(context.Background(), args, &log), "%s", &log)
	page := only(t, dir, "*.md")
	for _, row := range []string{
		"program start to first PONG", "GET, depth 1 |", "SET PX, depth 16", "PEXPIRE, depth 64", "60 connections",
		"rolling", "logout", "at the same offered load", "rewritten three times", "beside KEYS", "beside FLUSHALL",
		"sessions left", "What was to be reached", "Load average", "allocations, GET,depth=1 ", "go run ./bench/cmd/peers -quick",
	} {
		require.Contains(t, page, row)
	}
	for _, line := range strings.Split(page, "\n") {
		require.NotRegexp(t, `\|  ?\|.*µs`, line, "a row without a figure")
	}
	plot := xml.NewDecoder(strings.NewReader(only(t, dir, "*.svg")))
	for {
		if _, err := plot.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func only(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.Len(t, found, 1)
	b, err := os.ReadFile(found[0])
	require.NoError(t, err)
	return string(b)
}
