package repl

// Buffer is a stream of bytes that readers follow, each at its own pace. A byte is in
// memory once, whoever still has to read it: what all readers are past is garbage. It
// has no lock of its own; but what Cursor.Next returns never changes, and may be read
// by anybody at any time.
type Buffer struct {
	last *block // nil while nobody may begin to read
	end  int64
}

// block is a piece of a stream. Bytes behind its len are still to come.
type block struct {
	at   int64 // of its first byte
	buf  []byte
	next *block
}

const blockSize = 64 << 10

// End is how many bytes there are, and where the next one will be.
func (b *Buffer) End() int64 { return b.end }

// Append adds bytes at the end; it keeps a copy.
func (b *Buffer) Append(p []byte) {
	for len(p) > 0 {
		last := b.tail()
		if len(last.buf) == cap(last.buf) {
			last.next = &block{at: b.end, buf: make([]byte, 0, blockSize)}
			last = last.next
			b.last = last
		}
		n := min(len(p), cap(last.buf)-len(last.buf))
		last.buf = append(last.buf, p[:n]...)
		b.end += int64(n)
		p = p[n:]
	}
}

// tail is the block that grows.
func (b *Buffer) tail() *block {
	if b.last == nil {
		b.last = &block{at: b.end}
	}
	return b.last
}

// Cursor is a reader's at the end: it reads what comes.
func (b *Buffer) Cursor() Cursor { return Cursor{b.tail(), b.end} }

// forget lets go of what was written; cursors that there are go on with it.
func (b *Buffer) forget() { b.last = nil }

// Cursor is how far a reader has come. A copy of it reads the same again.
type Cursor struct {
	block *block
	at    int64
}

// Offset is how many bytes of the stream are before it.
func (c *Cursor) Offset() int64 { return c.at }

// Next is the next bytes, at most so many; nil when there are none yet. They are the
// buffer's: to be read, not changed.
func (c *Cursor) Next(most int) []byte {
	if c.settle(); most <= 0 {
		return nil
	}
	b := c.block.buf[c.at-c.block.at:]
	if len(b) == 0 {
		return nil
	}
	b = b[:min(len(b), most):min(len(b), most)]
	c.at += int64(len(b))
	return b
}

// settle makes c stand in the block of its next byte, where there is one.
func (c *Cursor) settle() {
	for c.block.next != nil && c.at >= c.block.next.at {
		c.block = c.block.next
	}
}

// skip moves c, which must not go past the end, to an offset behind it.
func (c *Cursor) skip(to int64) {
	c.at = to
	c.settle()
}
