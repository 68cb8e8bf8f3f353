package errs

// NoConfigFile answers CONFIG REWRITE.
var NoConfigFile = &Error{"ERR", "The server is running without a config file"}

// UnknownConfig answers CONFIG SET of a name that is no parameter.
func UnknownConfig(name string) error {
	return &Error{"ERR", "Unknown option or number of arguments for CONFIG SET - '" + name + "'"}
}

// ConfigSet answers a CONFIG SET that failed at one parameter.
func ConfigSet(name, why string) error {
	return &Error{"ERR", "CONFIG SET failed (possibly related to argument '" + name + "') - " + why}
}

// RewriteFailed answers CONFIG REWRITE when the file could not be written.
func RewriteFailed(err error) error {
	return &Error{"ERR", "Rewriting config file: " + err.Error()}
}

// UnknownCall is UnknownSubcommand of commands that count their arguments
// themselves (DEBUG, SLOWLOG GET, ACL CAT).
func UnknownCall(container string, word []byte) error {
	return &Error{"ERR", "unknown subcommand or wrong number of arguments for '" + string(word[:min(len(word), 128)]) + "'. Try " + container + " HELP."}
}
