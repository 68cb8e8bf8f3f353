package config

import (
	"os"
	"strconv"
	"strings"
)

// The constructors below tie a parameter to a field of Config.

func boolField(at func(c *Config) *bool) *field {
	return &field{
		load: func(c *Config) string {
			if *at(c) {
				return "yes"
			}
			return "no"
		},
		store: func(c *Config, s string) { *at(c) = s == "yes" },
	}
}

func intField[T ~int | ~int64](at func(c *Config) *T) *field {
	return &field{
		load: func(c *Config) string { return strconv.FormatInt(int64(*at(c)), 10) },
		store: func(c *Config, s string) {
			n, _ := strconv.ParseInt(s, 10, 64)
			*at(c) = T(n)
		},
	}
}

func octalField(at func(c *Config) *uint32) *field {
	return &field{
		load: func(c *Config) string { return strconv.FormatUint(uint64(*at(c)), 8) },
		store: func(c *Config, s string) {
			n, _ := strconv.ParseUint(s, 8, 32)
			*at(c) = uint32(n)
		},
	}
}

func textField(at func(c *Config) *string) *field {
	return &field{
		load:  func(c *Config) string { return *at(c) },
		store: func(c *Config, s string) { *at(c) = s },
	}
}

func wordsField(at func(c *Config) *[]string) *field {
	return &field{
		load:  func(c *Config) string { return strings.Join(*at(c), " ") },
		store: func(c *Config, s string) { *at(c) = strings.Fields(s) },
	}
}

var limitsField = &field{
	load:  func(c *Config) string { return formatLimits(c.OutputLimits) },
	store: func(c *Config, s string) { c.OutputLimits = parseLimits(s) },
}

var percentilesField = &field{
	load: func(c *Config) string {
		var w []string
		for _, f := range c.LatencyPercentiles {
			w = append(w, strconv.FormatFloat(f, 'f', -1, 64))
		}
		return strings.Join(w, " ")
	},
	store: func(c *Config, s string) {
		c.LatencyPercentiles = nil
		for _, w := range strings.Fields(s) {
			f, _ := strconv.ParseFloat(w, 64)
			c.LatencyPercentiles = append(c.LatencyPercentiles, f)
		}
	},
}

// dirField shows the process' own directory until another is set. The server
// does not change directory: several may live in one process.
var dirField = &field{
	load: func(c *Config) string {
		if c.Dir != "" && c.Dir != "." {
			return c.Dir
		}
		wd, err := os.Getwd()
		if err != nil {
			return "."
		}
		return wd
	},
	store: func(c *Config, s string) { c.Dir = s },
}
