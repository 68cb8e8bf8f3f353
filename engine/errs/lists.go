package errs

// Errors about lists.
var (
	ListRankZero = &Error{"ERR", "RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
		"or use negative to start from the end of the list"}
	ListCountNegative  = &Error{"ERR", "COUNT can't be negative"}
	ListMaxLenNegative = &Error{"ERR", "MAXLEN can't be negative"}
)
