// Package errs holds every error text that a client can see, once, exactly as
// Redis sends it. It imports nothing of ours.
package errs

// Error is an error reply: a code in capitals and a text, sent as
// "-CODE text\r\n".
type Error struct {
	Code string
	Text string
}

// Error returns the reply's words without the leading minus.
func (e *Error) Error() string {
	if e.Text == "" {
		return e.Code
	}
	return e.Code + " " + e.Text
}

// Errors about a key's value.
var (
	WrongType = &Error{"WRONGTYPE", "Operation against a key holding the wrong kind of value"}
	NoSuchKey = &Error{"ERR", "no such key"}
)

// Errors about a command's words.
var (
	Syntax     = &Error{"ERR", "syntax error"}
	NotInteger = &Error{"ERR", "value is not an integer or out of range"}
	NotFloat   = &Error{"ERR", "value is not a valid float"}
)

// WrongArity says that the command name (lower case, "client|kill" for a
// subcommand) came with too few or too many arguments.
func WrongArity(name string) error {
	return &Error{"ERR", "wrong number of arguments for '" + name + "' command"}
}

// Protocol is a violation of the protocol; the connection is closed after it
// is sent.
func Protocol(what string) error {
	return &Error{"ERR", "Protocol error: " + what}
}
