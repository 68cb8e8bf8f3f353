package server

import "coatcheck/internal/command"

// Directory describes every command that a server has, without one.
func Directory() *command.Directory { return newTable().Directory() }
