package aof

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strconv"
)

// A batch is what is written at a time: whole units, behind a line that tells their
// length and checksum,
//
//	#coatcheck:LENGTH:CHECKSUM:CHECK\r\n
//
// in 16, 8 and 8 hexadecimal digits. The checksums are CRC-32C: of the batch, and of the
// line up to the last colon. Redis 7 passes over lines that begin with #. Without the
// second checksum a flipped bit in the length would look like a torn tail.

const (
	mark     = "#coatcheck:"
	markSize = len(mark) + 16 + 8 + 8 + 2 + 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendMark appends the line before a batch.
func appendMark(dst, batch []byte) []byte {
	at := len(dst)
	dst = fmt.Appendf(dst, "%s%016x:%08x:", mark, len(batch), crc32.Checksum(batch, castagnoli))
	return fmt.Appendf(dst, "%08x\r\n", crc32.Checksum(dst[at:], castagnoli))
}

// parseMark reads the line before a batch, with its end. isMark is false for a line
// that is something else.
func parseMark(line []byte) (size int64, sum uint32, isMark bool, err error) {
	if !bytes.HasPrefix(line, []byte(mark)) {
		return 0, 0, false, nil
	}
	bad := fmt.Errorf("%w: the line before a batch", ErrFormat)
	if len(line) != markSize || string(line[markSize-2:]) != "\r\n" {
		return 0, 0, true, bad
	}
	fields := bytes.Split(line[len(mark):markSize-2], []byte(":"))
	if len(fields) != 3 || len(fields[0]) != 16 || len(fields[1]) != 8 {
		return 0, 0, true, bad
	}
	var n [3]uint64
	for i, f := range fields {
		if n[i], err = strconv.ParseUint(string(f), 16, 63); err != nil {
			return 0, 0, true, bad
		}
	}
	if n[2] != uint64(crc32.Checksum(line[:markSize-2-8], castagnoli)) {
		return 0, 0, true, bad
	}
	return int64(n[0]), uint32(n[1]), true, nil
}
