package errs

// Errors about HyperLogLogs.
var (
	HLLInvalid   = &Error{"WRONGTYPE", "Key is not a valid HyperLogLog string value."}
	HLLCorrupt   = &Error{"INVALIDOBJ", "Corrupted HLL object detected"}
	HLLNoKey     = &Error{"ERR", "The specified key does not exist"}
	HLLNotSparse = &Error{"ERR", "HLL encoding is not sparse"}
)

// UnknownPFDebug refuses a subcommand.
func UnknownPFDebug(word []byte) error {
	return &Error{"ERR", "Unknown PFDEBUG subcommand '" + Shown(word, len(word)) + "'"}
}
