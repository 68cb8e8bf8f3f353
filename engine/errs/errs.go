// Package errs holds every error text that a client can see, once, exactly as
// Redis sends it. It imports nothing of ours.
package errs

import (
	"bytes"
	"strconv"
)

// Error is an error reply: a code in capitals and a text, sent as
// "-CODE text\r\n".
type Error struct {
	Code string
	Text string
}

// Shown is a client's word as errors repeat it: at most so many bytes of it, and
// as in Redis none from a NUL on.
func Shown(word []byte, most int) string {
	word = word[:min(len(word), most)]
	if i := bytes.IndexByte(word, 0); i >= 0 {
		word = word[:i]
	}
	return string(word)
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
	// IndexOutOfRange is about an element of a list that is not there.
	IndexOutOfRange = &Error{"ERR", "index out of range"}
	// BusyKey is about RESTORE without REPLACE.
	BusyKey       = &Error{"BUSYKEY", "Target key name already exists."}
	SameObject    = &Error{"ERR", "source and destination objects are the same"}
	StringTooLong = &Error{"ERR", "string exceeds maximum allowed size (proto-max-bulk-len)"}
	// NoFreq answers OBJECT FREQ while the policy is not an LFU one, NoIdle
	// OBJECT IDLETIME while it is.
	NoFreq = &Error{"ERR", "An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."}
	NoIdle = &Error{"ERR", "An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."}
)

// OOM refuses commands that need memory.
var OOM = &Error{"OOM", "command not allowed when used memory > 'maxmemory'."}

// NoMemory is about a command that needed more than the system gives; it changed
// nothing, or as much as its replies and effects so far say. Redis ends there.
var NoMemory = &Error{"OOM", "the system gives no more memory"}

// Errors about a command's words.
var (
	Syntax           = &Error{"ERR", "syntax error"}
	NotInteger       = &Error{"ERR", "value is not an integer or out of range"}
	NotFloat         = &Error{"ERR", "value is not a valid float"}
	OffsetOutOfRange = &Error{"ERR", "offset is out of range"}
	InvalidCursor    = &Error{"ERR", "invalid cursor"}
)

// Errors about arithmetic.
var (
	// WouldOverflow is for sums outside 64 bits, DecrementOverflow for a
	// decrement that has no negative.
	WouldOverflow     = &Error{"ERR", "increment or decrement would overflow"}
	DecrementOverflow = &Error{"ERR", "decrement would overflow"}
	NaNOrInfinity     = &Error{"ERR", "increment would produce NaN or Infinity"}
)

// Errors about how long a command may wait, in seconds (a float) or in
// milliseconds (an integer).
var (
	TimeoutNotFloat   = &Error{"ERR", "timeout is not a float or out of range"}
	TimeoutNotInteger = &Error{"ERR", "timeout is not an integer or out of range"}
	TimeoutNegative   = &Error{"ERR", "timeout is negative"}
	TimeoutOutOfRange = &Error{"ERR", "timeout is out of range"}
)

// Unblocked is the reply of a command whose wait CLIENT UNBLOCK has ended with
// ERROR.
var Unblocked = &Error{"UNBLOCKED", "client unblocked via CLIENT UNBLOCK"}

// Errors about dbs.
var (
	DBIndex         = &Error{"ERR", "DB index is out of range"}
	InvalidDBIndex  = &Error{"ERR", "invalid DB index"} // SELECT with no number
	InvalidFirstDB  = &Error{"ERR", "invalid first DB index"}
	InvalidSecondDB = &Error{"ERR", "invalid second DB index"}
)

// Errors about a deadline's condition (EXPIRE and its kin).
var (
	ExpireNXConflict = &Error{"ERR", "NX and XX, GT or LT options at the same time are not compatible"}
	ExpireGTConflict = &Error{"ERR", "GT and LT options at the same time are not compatible"}
)

// Errors of LCS.
var (
	LCSNotStrings = &Error{"ERR", "The specified keys must contain string values"}
	LCSLenAndIdx  = &Error{"ERR", "If you want both the length and indexes, please just use IDX."}
	LCSMemory     = &Error{"ERR", "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"}
)

// WrongArity says that the command name (lower case, "client|kill" for a
// subcommand) came with too few or too many arguments.
func WrongArity(name string) error {
	return &Error{"ERR", "wrong number of arguments for '" + name + "' command"}
}

// InvalidExpire says that the command name (lower case) was given a deadline or
// a time to live that does not fit, or is not above 0 where it must be.
func InvalidExpire(name string) error {
	return &Error{"ERR", "invalid expire time in '" + name + "' command"}
}

// UnsupportedOption is how EXPIRE and its kin call a word they do not know.
func UnsupportedOption(word []byte) error {
	return &Error{"ERR", "Unsupported option " + Shown(word, len(word))}
}

// OutOfRange says that an integer is outside of lo … hi.
func OutOfRange(lo, hi int64) error {
	return &Error{"ERR", "value is out of range, value must between " +
		strconv.FormatInt(lo, 10) + " and " + strconv.FormatInt(hi, 10)}
}

// UnknownSubcommand names a word (cut at 128 bytes) that the container command
// (in capitals) does not have.
func UnknownSubcommand(container string, word []byte) error {
	return &Error{"ERR", "unknown subcommand '" + Shown(word, 128) + "'. Try " + container + " HELP."}
}

// SubcommandSyntax says that the container command (in capitals) makes nothing
// of a subcommand with these words.
func SubcommandSyntax(container string, word []byte) error {
	return &Error{"ERR", "unknown subcommand or wrong number of arguments for '" + Shown(word, 128) + "'. Try " + container + " HELP."}
}

// Protocol is a violation of the protocol; the connection is closed after it
// is sent.
func Protocol(what string) error {
	return &Error{"ERR", "Protocol error: " + what}
}

// Errors of COMMAND GETKEYS about the call that is asked about.
var (
	InvalidCommand   = &Error{"ERR", "Invalid command specified"}
	InvalidArity     = &Error{"ERR", "Invalid number of arguments specified for command"}
	InvalidArguments = &Error{"ERR", "Invalid arguments specified for command"}
	NoKeyArguments   = &Error{"ERR", "The command has no key arguments"}
)
