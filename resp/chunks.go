package resp

import "slices"

// A reply's chunks: how they grow, are taken by a transport, and go back.

// Len is the number of bytes not yet sent; also a mark for Rewind, as long as
// nothing is sent in between.
func (r *Reply) Len() int {
	if r.over {
		return r.Limit + 1
	}
	return r.before + len(r.tail) - r.sent
}

// IsOver says that the reply became longer than Limit. It is empty then to who
// would send it, one byte beyond Limit to who asks for its length, and forgets what
// is appended, until Reset.
func (r *Reply) IsOver() bool { return r.over }

// exceeds says whether n more bytes are too many, and then forgets everything.
func (r *Reply) exceeds(n int) bool {
	if r.Limit > 0 && !r.over && r.Len()+n > r.Limit {
		*r = Reply{Proto: r.Proto, Limit: r.Limit, over: true}
	}
	return r.over
}

// Memory is the size of the buffers the reply owns.
func (r *Reply) Memory() int {
	n := cap(r.tail)
	for _, c := range r.sealed[r.first:] {
		n += cap(c)
	}
	return n
}

// Head is the first piece of what is to be sent; nil when there is nothing.
func (r *Reply) Head() []byte {
	if r.over {
		return nil
	}
	b := r.tail
	if r.first < len(r.sealed) {
		b = r.sealed[r.first]
	}
	if len(b) == r.sent {
		return nil
	}
	return b[r.sent:]
}

// Bytes is all that is to be sent in one slice, for tests and short replies. It
// is good until the next append; of more than one chunk it is a copy.
func (r *Reply) Bytes() []byte {
	if r.over {
		return nil
	}
	if r.first == len(r.sealed) {
		return r.tail[r.sent:]
	}
	b := make([]byte, 0, r.Len())
	for i, c := range r.sealed[r.first:] {
		if i == 0 {
			c = c[r.sent:]
		}
		b = append(b, c...)
	}
	return append(b, r.tail...)
}

// Buffers appends the pieces to be sent to dst, in order, as long as dst has
// room: for a vectored write.
func (r *Reply) Buffers(dst [][]byte) [][]byte {
	if r.over {
		return dst
	}
	skip := r.sent
	for _, c := range r.sealed[r.first:] {
		if len(dst) == cap(dst) {
			return dst
		}
		dst = append(dst, c[skip:])
		skip = 0
	}
	if len(r.tail) > skip && len(dst) < cap(dst) {
		dst = append(dst, r.tail[skip:])
	}
	return dst
}

// Advance says that n bytes were sent. Their chunks are used again: what Head
// and Buffers returned of them may not be looked at any more.
func (r *Reply) Advance(n int) {
	for n > 0 {
		left := len(r.Head())
		if n < left {
			r.sent += n
			return
		}
		n -= left
		b := r.forgetHead()
		giveBuffer(b)
	}
}

// Reset drops everything that was not sent.
func (r *Reply) Reset() {
	if r.over {
		giveBuffer(r.tail)
		r.tail, r.over = nil, false
	}
	r.Advance(r.Len())
}

// forgetHead takes the first chunk out.
func (r *Reply) forgetHead() (b []byte) {
	r.sent = 0
	if r.first == len(r.sealed) {
		b, r.tail = r.tail, nil
		return b
	}
	b, r.sealed[r.first] = r.sealed[r.first], nil
	r.before -= len(b)
	r.first++
	if r.first == len(r.sealed) {
		r.first, r.sealed = 0, r.sealed[:0]
		if cap(r.sealed) > 64 {
			r.sealed = nil
		}
		if len(r.tail) == 0 {
			giveBuffer(r.tail)
			r.tail = nil
		}
	}
	return b
}

// room makes sure that n more bytes fit into the tail.
func (r *Reply) room(n int) {
	if cap(r.tail)-len(r.tail) < n {
		r.grow(n)
	}
}

func (r *Reply) grow(n int) {
	if r.exceeds(n) {
		r.tail = slices.Grow(r.tail[:0], max(n, class1)) // a place to write to
		return
	}
	old := r.tail
	if want := len(old) + n; want <= class3 && len(old) <= class2 {
		r.tail = append(takeBuffer(want), old...)
		giveBuffer(old)
		return
	}
	next := class1
	if cap(old) == class3 { // a long reply
		next = class3
	}
	r.seal()
	r.tail = takeBuffer(max(n, next))
}

// seal ends the tail; the next byte begins a new chunk.
func (r *Reply) seal() {
	if len(r.tail) == 0 {
		giveBuffer(r.tail)
		r.tail = nil
		return
	}
	r.sealed = append(r.sealed, r.tail)
	r.before += len(r.tail)
	r.tail = nil
}

// Rewind drops what was appended since Len returned mark.
func (r *Reply) Rewind(mark int) {
	if r.over {
		return
	}
	mark += r.sent
	for mark < r.before {
		giveBuffer(r.tail)
		last := len(r.sealed) - 1
		r.tail, r.sealed[last] = r.sealed[last], nil
		r.sealed = r.sealed[:last]
		r.before -= len(r.tail)
	}
	if r.tail = r.tail[:mark-r.before]; len(r.tail) == 0 {
		giveBuffer(r.tail) // and no shared one is written to
		r.tail = nil
	}
	if r.Len() == 0 {
		giveBuffer(r.tail)
		r.tail, r.sent = nil, 0
	}
}

// insert puts head before the byte that is at bytes behind the first one not
// sent.
func (r *Reply) insert(at int, head []byte) {
	if r.room(len(head)); r.over {
		return
	}
	at += r.sent
	end := r.before
	if at >= end {
		at -= end
		n := len(r.tail)
		r.tail = append(r.tail, head...)
		copy(r.tail[at+len(head):], r.tail[at:n])
		copy(r.tail[at:], head)
		return
	}
	for i := len(r.sealed) - 1; ; i-- {
		if end -= len(r.sealed[i]); at >= end {
			r.split(at-end, i, head)
			return
		}
	}
}

// split puts head before byte at of the i-th sealed chunk, in a chunk of
// its own, since there is no room.
func (r *Reply) split(at, i int, head []byte) {
	c := r.sealed[i]
	r.before += len(head)
	if at == 0 {
		r.sealed = slices.Insert(r.sealed, i, slices.Clone(head))
		return
	}
	r.sealed[i] = append(c[:at:at], head...)
	r.sealed = slices.Insert(r.sealed, i+1, c[at:len(c):len(c)])
}
