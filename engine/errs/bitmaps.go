package errs

// Errors of the commands on bits.
var (
	BitOffset = &Error{"ERR", "bit offset is not an integer or out of range"}
	// BitValue refuses a bit to write that is none, BitArgument one to look for.
	BitValue    = &Error{"ERR", "bit is not an integer or out of range"}
	BitArgument = &Error{"ERR", "The bit argument must be 1 or 0."}
	BitNotOne   = &Error{"ERR", "BITOP NOT must be called with a single source key."}
	BitType     = &Error{"ERR", "Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."}
	BitOverflow = &Error{"ERR", "Invalid OVERFLOW type specified"}
	BitReadOnly = &Error{"ERR", "BITFIELD_RO only supports the GET subcommand"}
)
