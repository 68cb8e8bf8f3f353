package engine

// PutList makes key hold a value that is no string.
func (tx *Tx) PutList(key []byte) {
	p := tx.write(key)
	tx.put(&p, TList, EncRaw, []byte("elements"), Never)
}

// MaxLCSCells is maxLCSCells.
const MaxLCSCells = maxLCSCells

// RefuseMemory makes the system appear to give the dbs no more memory.
func (h Held) RefuseMemory(on bool) {
	for _, d := range h.eng.dbs {
		d.slab.Refuse(on)
	}
}
