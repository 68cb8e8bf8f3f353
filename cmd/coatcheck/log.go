package main

import (
	"io"
	"log/slog"
	"os"

	"coatcheck/internal/config"
)

// levels are the log levels of redis.conf.
var levels = map[string]slog.Level{
	"debug":   slog.LevelDebug,
	"verbose": slog.LevelDebug + 2,
	"notice":  slog.LevelInfo,
	"warning": slog.LevelWarn,
	"nothing": slog.LevelError + 100,
}

// newLogger makes the logger that cfg describes, which writes to stdout where
// there is no logfile. CONFIG SET loglevel changes it.
func newLogger(cfg *config.Config, stdout io.Writer) (*slog.Logger, io.Writer) {
	level := new(slog.LevelVar)
	level.Set(levels[cfg.LogLevel])
	cfg.OnSet(func() error {
		level.Set(levels[cfg.LogLevel])
		return nil
	}, "loglevel")

	out := stdout
	if cfg.LogFile != "" {
		out = logFile(cfg.Path(cfg.LogFile))
	}
	opts := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, opts)), out
	}
	return slog.New(slog.NewTextHandler(out, opts)), out
}

// logFile is a file that is opened for each line, as Redis does, so that it may
// be moved away at any time.
type logFile string

// Write implements io.Writer.
func (name logFile) Write(line []byte) (int, error) {
	f, err := os.OpenFile(string(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.Write(line)
}
