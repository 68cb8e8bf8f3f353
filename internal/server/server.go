// Package server serves clients: connections and their state, the gates before
// a command, the transports, and the commands about connections and the server
// itself. It knows the engine and the command table, not what commands mean.
package server

import (
	"coatcheck/engine"
	"coatcheck/internal/config"
)

// Server is one store with its clients. Several in a process share nothing.
type Server struct {
	eng *engine.Engine
	cfg *config.Config // guarded by the engine's lock
}
