package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/config"
)

func TestPageIsCurrent(t *testing.T) {
	b, err := os.ReadFile("../../../../docs/parameters.md")
	require.NoError(t, err)
	require.Equal(t, page(config.Notes()), string(b), "run make gen")
}

func TestPageHasEveryParameterOnce(t *testing.T) {
	text := page(config.Notes())
	for _, n := range config.Notes() {
		require.Equal(t, 1, strings.Count(text, "\n| "+name(n)+" |"), n.Name)
	}
}
