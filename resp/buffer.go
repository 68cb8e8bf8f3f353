package resp

import "sync"

// The parser's memory: its own buffer, the list of arguments, and how both come
// and go.

const (
	bigBulk   = 32 << 10 // from here on a bulk gets a buffer of its size
	trusted   = 1 << 20  // announced bytes that are believed when the first 1/64 has come
	smallRest = 2 << 10  // an unfinished rest up to here moves to the scratch for the next read
	keepArgs  = 4 << 10  // argument lists up to here are used again
)

// need is how many bytes are missing at least, as far as is known; none when more
// came than Next was asked for.
func (p *Parser) need() int {
	if p.left > 0 && p.bulk >= 0 {
		return max(p.pos+p.bulk+2-len(p.buf), 0)
	}
	return 0
}

// size is the room to make for rest bytes of a command of which need more are
// announced. A big bulk gets exactly its room as soon as enough of it has come:
// a length alone is worth 64 KiB.
func (p *Parser) size(rest, need int) int {
	total := rest + need
	if need == 0 || p.bulk < bigBulk {
		return total + max(total/2, 256)
	}
	believed := max(class3, min(64*rest, trusted), 2*rest)
	return min(total, believed)
}

// reserve makes room in the parser's own buffer, which holds what is at hand.
func (p *Parser) reserve() {
	need := p.need()
	if room := cap(p.buf) - len(p.buf); p.borrowed || room == 0 || room < min(need, bigBulk/2) {
		p.keep(p.buf[p.start:], need)
	}
}

// keep moves rest, the command at hand, to a buffer with room for need more.
func (p *Parser) keep(rest []byte, need int) {
	old := p.own
	p.own = takeBuffer(p.size(len(rest), need))
	p.buf = append(p.own, rest...)
	p.borrowed = false
	giveBuffer(old)
	p.rebase()
}

// rebase makes the command at hand begin where the buffer does.
func (p *Parser) rebase() {
	p.pos -= p.start
	p.scan = max(p.scan-p.start, 0)
	p.start = 0
}

// Release says that every command handed out has been run: what is left over is
// moved to a buffer of the parser's own, or nothing is kept.
func (p *Parser) Release() {
	p.lent = nil
	rest := p.buf[p.start:]
	switch {
	case len(rest) == 0:
		p.buf, p.start, p.pos, p.scan, p.borrowed = nil, 0, 0, 0, false
		giveBuffer(p.own)
		p.own = nil
	case p.borrowed, cap(p.buf) > class1 && len(rest)+p.need() < cap(p.buf)/4:
		p.keep(rest, p.need())
	}
	if p.work == nil {
		return
	}
	if p.left == 0 {
		p.work.give()
		p.work = nil
		return
	}
	p.work.reset()
}

// Buffered is the number of bytes that wait for a command to complete, or to be
// taken.
func (p *Parser) Buffered() int { return len(p.buf) - p.start }

// Cap is the memory the parser owns: bytes and argument list.
func (p *Parser) Cap() int {
	n := cap(p.own)
	if p.work != nil {
		n += cap(p.work.argv)*24 + cap(p.work.spans)*16
	}
	return n
}

// span is where an argument lies, from its command's first byte.
type span struct{ off, len int }

// argList is what commands are put together in.
type argList struct {
	argv  [][]byte // of all commands handed out since Release
	spans []span   // of the command at hand
}

var argPool = sync.Pool{New: func() any {
	return &argList{argv: make([][]byte, 0, 16), spans: make([]span, 0, 16)}
}}

func takeArgs() *argList { return argPool.Get().(*argList) }

func (w *argList) give() {
	w.reset()
	if cap(w.spans) > keepArgs {
		w.spans = nil
	}
	w.spans = w.spans[:0]
	argPool.Put(w)
}

// reset forgets argv, so that it holds no buffer alive.
func (w *argList) reset() {
	if cap(w.argv) > keepArgs {
		w.argv = nil
	}
	clear(w.argv)
	w.argv = w.argv[:0]
}
