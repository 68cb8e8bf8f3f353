package engine

// Packing says up to which size collections are packed, in the words of the
// parameters that set it.
type Packing struct {
	HashEntries, HashValue int64 // hash-max-listpack-entries, -value
	SetInts                int64 // set-max-intset-entries
	SetEntries, SetValue   int64 // set-max-listpack-entries, -value
	ZSetEntries, ZSetValue int64 // zset-max-listpack-entries, -value
	// ListSize bounds a node of a list: above 0 its elements, below its bytes,
	// -1 … -5 for 4 … 64 KiB (list-max-listpack-size).
	ListSize int
	// HLLSparse bounds a sparse HyperLogLog in bytes (hll-sparse-max-bytes).
	HLLSparse int64
	// StreamBytes and StreamEntries bound a node of a stream; 0: no bound.
	StreamBytes, StreamEntries int64
}

// DefaultPacking is Redis' own.
var DefaultPacking = Packing{
	HashEntries: 512, HashValue: 64, SetInts: 512, SetEntries: 128, SetValue: 64, ZSetEntries: 128, ZSetValue: 64,
	ListSize: -2, HLLSparse: 3000, StreamBytes: 4096, StreamEntries: 100,
}

// SetPacking puts other bounds in force. Values that exist stay as they are
// until they change.
func (h Held) SetPacking(p Packing) { h.eng.packing = p }
