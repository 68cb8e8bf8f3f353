package errs

// Errors about scores and ranges of them.
var (
	ScoreNaN     = &Error{"ERR", "resulting score is not a number (NaN)"}
	RangeFloat   = &Error{"ERR", "min or max is not a float"}
	RangeString  = &Error{"ERR", "min or max not valid string range item"}
	WeightFloat  = &Error{"ERR", "weight value is not a float"}
	ZAddXXNX     = &Error{"ERR", "XX and NX options at the same time are not compatible"}
	ZAddGTLTNX   = &Error{"ERR", "GT, LT, and/or NX options at the same time are not compatible"}
	ZAddIncrPair = &Error{"ERR", "INCR option supports a single increment-element pair"}
	ZRangeLimit  = &Error{"ERR", "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"}
	ZRangeScores = &Error{"ERR", "syntax error, WITHSCORES not supported in combination with BYLEX"}
)

// Errors about numbers of keys and counts.
var (
	CountNegative   = &Error{"ERR", "value is out of range, must be positive"}
	NumKeysPositive = &Error{"ERR", "numkeys should be greater than 0"}
	NumKeysTooMany  = &Error{"ERR", "Number of keys can't be greater than number of args"}
	CountPositive   = &Error{"ERR", "count should be greater than 0"}
	LimitNegative   = &Error{"ERR", "LIMIT can't be negative"}
	// CountOutOfRange is for a count twice which does not fit.
	CountOutOfRange = &Error{"ERR", "value is out of range"}
)

// NoInputKey says that the command name (lower case) was given no key to read.
func NoInputKey(name string) error {
	return &Error{"ERR", "at least 1 input key is needed for '" + name + "' command"}
}
