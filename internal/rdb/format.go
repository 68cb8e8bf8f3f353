// Package rdb writes and reads Redis' dump format: whole files, and the payload
// of a single value that DUMP gives and RESTORE takes. It knows bytes and the
// engine's values, not files or sockets.
//
// What is written is version 10, which redis-server 7.0 and everything after it
// reads; only hashes whose fields have deadlines need version 12 (Redis 7.4).
// What is read is everything since version 1, Redis 2.4, up to 12, and Valkey 8.
// The format follows Redis rdb.c and rdb.h.
package rdb

import "errors"

// Versions of the format.
const (
	Version = 10
	// VersionFields is the first with deadlines of hash fields.
	VersionFields = 12
	maxVersion    = 12
)

// Kinds of values, as a byte in front of key or payload.
const (
	kindString            = 0
	kindList              = 1
	kindSet               = 2
	kindZSetText          = 3
	kindHash              = 4
	kindZSet              = 5
	kindModulePreGA       = 6
	kindModule            = 7
	kindHashZipmap        = 9
	kindListZiplist       = 10
	kindSetIntset         = 11
	kindZSetZiplist       = 12
	kindHashZiplist       = 13
	kindListQuicklist     = 14
	kindStream            = 15
	kindHashListpack      = 16
	kindZSetListpack      = 17
	kindListQuicklist2    = 18
	kindStream2           = 19
	kindSetListpack       = 20
	kindStream3           = 21
	kindHashFieldsPreGA   = 22
	kindHashListpackExPre = 23
	kindHashFields        = 24
	kindHashListpackEx    = 25
)

// Kinds of nodes of a kindListQuicklist2.
const (
	nodePlain  = 1 // one element
	nodePacked = 2 // a listpack
)

// Opcodes of a file, where a kind could stand.
const (
	opSlotInfo    = 244
	opFunction    = 245
	opFunctionPre = 246
	opModuleAux   = 247
	opIdle        = 248
	opFreq        = 249
	opAux         = 250
	opResizeDB    = 251
	opExpireMs    = 252
	opExpire      = 253
	opSelectDB    = 254
	opEOF         = 255
)

// stringMark stands with one of the encodings of strings below in the place of a
// length.
const stringMark = 0xc0

// Encodings of strings.
const (
	encInt8 = iota
	encInt16
	encInt32
	encLZF
)

// ErrFormat is what reading fails with when the bytes are not what the format
// says; wrapped, with what was being read.
var ErrFormat = errors.New("rdb: bad data format")

// ErrDump is about a payload whose version is too new or whose checksum is wrong.
var ErrDump = errors.New("rdb: DUMP payload version or checksum are wrong")
