package errs

// Errors about lists.
var (
	ListRankZero = &Error{"ERR", "RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
		"or use negative to start from the end of the list"}
	ListCountNegative = &Error{"ERR", "COUNT can't be negative"}
	// SortScores is about elements that SORT finds no order for, SortBy and SortGet
	// about users who may not read every key.
	SortScores         = &Error{"ERR", "One or more scores can't be converted into double"}
	SortBy             = &Error{"ERR", "BY option of SORT denied due to insufficient ACL permissions."}
	SortGet            = &Error{"ERR", "GET option of SORT denied due to insufficient ACL permissions."}
	ListMaxLenNegative = &Error{"ERR", "MAXLEN can't be negative"}
)
