package server

import "coatcheck/internal/command"

// commandCommands is COMMAND: it tells of the server's own table.
var commandCommands = command.Introspection(func(c *Client) *command.Directory {
	return c.srv.table.Directory()
})
