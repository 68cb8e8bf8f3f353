package errs

// Errors about what this server never does.
var (
	// ClusterDisabled is how cluster clients learn that there is no cluster.
	ClusterDisabled = &Error{"ERR", "This instance has cluster support disabled"}
	// ModuleRefused answers MODULE LOAD as enable-module-command no does.
	ModuleRefused = &Error{"ERR", `MODULE command not allowed. If the enable-module-command option is set to "local", ` +
		"you can run it from a local connection, otherwise you need to set this option in the configuration file, " +
		"and then restart the server."}
)
