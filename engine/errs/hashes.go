package errs

// Errors about hashes' values that are to be numbers.
var (
	HashNotInteger = &Error{"ERR", "hash value is not an integer"}
	HashNotFloat   = &Error{"ERR", "hash value is not a float"}
	// IncrNotFinite refuses an infinite increment.
	IncrNotFinite = &Error{"ERR", "value is NaN or Infinity"}
	// ValueOutOfRange is OutOfRange without its bounds.
	ValueOutOfRange = &Error{"ERR", "value is out of range"}
)

// Errors about the words of commands on fields' deadlines.
var (
	FieldsMissing   = &Error{"ERR", "Mandatory argument FIELDS is missing or not at the right position"}
	FieldsNumber    = &Error{"ERR", "The `numfields` parameter must match the number of arguments"}
	NumFieldsZero   = &Error{"ERR", "Parameter `numFields` should be greater than 0"}
	NumFieldsBad    = &Error{"ERR", "Number of fields must be a positive integer"}
	InvalidFields   = &Error{"ERR", "invalid number of fields"}
	ExpireNegative  = &Error{"ERR", "invalid expire time, must be >= 0"}
	ExpireMissing   = &Error{"ERR", "missing expire time"}
	FieldConditions = &Error{"ERR", "Only one of FXX or FNX arguments can be specified"}
	FieldDeadlines  = &Error{"ERR", "Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"}
)

// UnknownArgument is how HSETEX calls a word it does not know.
func UnknownArgument(word []byte) error {
	return &Error{"ERR", "unknown argument: " + Shown(word, len(word))}
}
