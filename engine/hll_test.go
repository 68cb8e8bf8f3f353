package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHLLSelfTest(t *testing.T) { require.NoError(t, HLLSelfTest()) }
