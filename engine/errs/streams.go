package errs

// Errors about IDs of streams.
var (
	StreamID         = &Error{"ERR", "Invalid stream ID specified as stream command argument"}
	StreamIDZero     = &Error{"ERR", "The ID specified in XADD must be greater than 0-0"}
	StreamIDTooSmall = &Error{"ERR", "The ID specified in XADD is equal or smaller than the target stream top item"}
	StreamExhausted  = &Error{"ERR", "The stream has exhausted the last possible ID, unable to add more items"}
	// StreamElementsTooLarge is for an entry of more than a GiB.
	StreamElementsTooLarge = &Error{"ERR", "Elements are too large to be stored"}
	// StreamStart and StreamEnd are for an excluded bound with nothing beyond.
	StreamStart = &Error{"ERR", "invalid start ID for the interval"}
	StreamEnd   = &Error{"ERR", "invalid end ID for the interval"}
)

// Errors about trimming.
var (
	StreamTwoTrims      = &Error{"ERR", "syntax error, MAXLEN and MINID options at the same time are not compatible"}
	StreamMaxLen        = &Error{"ERR", "The MAXLEN argument must be >= 0."}
	StreamLimit         = &Error{"ERR", "The LIMIT argument must be >= 0."}
	StreamLimitAlone    = &Error{"ERR", "syntax error, LIMIT cannot be used without specifying a trimming strategy"}
	StreamLimitExact    = &Error{"ERR", "syntax error, LIMIT cannot be used without the special ~ option"}
	StreamTrimByNothing = &Error{"ERR", "syntax error, XTRIM must be called with a trimming strategy"}
)

// Errors of XSETID.
var (
	StreamAddedNegative        = &Error{"ERR", "entries_added must be positive"}
	StreamSetIDBelowNewDeleted = &Error{"ERR", "The ID specified in XSETID is smaller than the provided max_deleted_entry_id"}
	StreamSetIDBelowDeleted    = &Error{"ERR", "The ID specified in XSETID is smaller than current max_deleted_entry_id"}
	StreamSetIDBelowTop        = &Error{"ERR", "The ID specified in XSETID is smaller than the target stream top item"}
	StreamAddedBelowLen        = &Error{"ERR", "The entries_added specified in XSETID is smaller than the target stream length"}
)

// Errors of XREAD and XREADGROUP.
var (
	StreamGroupInXRead = &Error{"ERR", "The GROUP option is only supported by XREADGROUP. You called XREAD instead."}
	StreamNoAckInXRead = &Error{"ERR", "The NOACK option is only supported by XREADGROUP. You called XREAD instead."}
	StreamMissingGroup = &Error{"ERR", "Missing GROUP option for XREADGROUP"}
	StreamNewInXRead   = &Error{"ERR", "The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."}
	StreamTopInGroup   = &Error{"ERR", "The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."}
)

// StreamUnbalanced says that the command name (lower case) was given keys and IDs
// that do not pair, mark being the ID that names what is new.
func StreamUnbalanced(name, mark string) error {
	return &Error{"ERR", "Unbalanced '" + name + "' list of streams: for each stream key an ID or '" + mark + "' must be specified."}
}

// Errors about groups.
var (
	StreamGroupExists = &Error{"BUSYGROUP", "Consumer Group name already exists"}
	StreamGroupNoKey  = &Error{"ERR", "The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."}
	StreamEntriesRead = &Error{"ERR", "value for ENTRIESREAD must be positive or -1"}
)

// StreamNoGroup is how XGROUP and XINFO miss a group.
func StreamNoGroup(group, key []byte) error {
	return &Error{"NOGROUP", "No such consumer group '" + cText(group) + "' for key name '" + cText(key) + "'"}
}

// StreamNoGroupAt is how other commands miss a key or its group.
func StreamNoGroupAt(key, group []byte) error {
	return &Error{"NOGROUP", "No such key '" + cText(key) + "' or consumer group '" + cText(group) + "'"}
}

// StreamNoGroupToRead is how XREADGROUP does.
func StreamNoGroupToRead(key, group []byte) error {
	return &Error{"NOGROUP", "No such key '" + cText(key) + "' or consumer group '" + cText(group) + "' in XREADGROUP with GROUP option"}
}

// cText is a word as far as C's printf shows it.
func cText(word []byte) string { return Shown(word, len(word)) }

// Errors of XCLAIM and XAUTOCLAIM.
var (
	StreamClaimMinIdle     = &Error{"ERR", "Invalid min-idle-time argument for XCLAIM"}
	StreamClaimIdle        = &Error{"ERR", "Invalid IDLE option argument for XCLAIM"}
	StreamClaimTime        = &Error{"ERR", "Invalid TIME option argument for XCLAIM"}
	StreamClaimRetryCount  = &Error{"ERR", "Invalid RETRYCOUNT option argument for XCLAIM"}
	StreamAutoClaimMinIdle = &Error{"ERR", "Invalid min-idle-time argument for XAUTOCLAIM"}
	StreamAutoClaimCount   = &Error{"ERR", "COUNT must be > 0"}
)

// StreamClaimOption is how XCLAIM calls a word that it does not know.
func StreamClaimOption(word []byte) error {
	return &Error{"ERR", "Unrecognized XCLAIM option '" + cText(word) + "'"}
}
