package rdb

import "hash/crc64"

// jones is the table of the CRC-64 that Redis signs its files with: Jones'
// polynomial, reflected, with neither a start value nor a final inversion.
var jones = crc64.MakeTable(0x95ac9329ac4bc9b5)

// Checksum continues crc, 0 at the start, over b.
func Checksum(crc uint64, b []byte) uint64 {
	return ^crc64.Update(^crc, jones, b) // Go's inverts before and after
}
