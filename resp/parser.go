package resp

// Limits bound what a parser takes from a client. A parser looks at them anew
// for every header, so they may change between commands.
type Limits struct {
	MaxBulk   int64 // bytes of one bulk string: proto-max-bulk-len
	MaxInline int   // bytes of an inline command or of a header line: 64 KiB
	MaxArgs   int   // elements of one multibulk: 1024*1024; 10 before authentication
	MaxBuffer int64 // bytes waiting for a command to complete: client-query-buffer-limit
	// Unauthenticated chooses the protocol errors of a client that has not
	// authenticated: "unauthenticated multibulk length", "… bulk length".
	Unauthenticated bool
}

// Parser cuts a client's bytes into commands. It is resumable: bytes may come
// in any pieces, and none is looked at twice. Set Limits before use.
//
// A transport reads into what Buffer returns and tells Wrote; then it takes
// commands by Next until there is none, runs them, and calls Release.
type Parser struct {
	Limits Limits
}

// Buffer returns where to read next, at least one byte long: scratch itself
// while nothing waits (the parser then borrows it until Release), otherwise
// room in the parser's own buffer, sized for the big bulk that is coming.
func (p *Parser) Buffer(scratch []byte) []byte { return scratch }

// Wrote says that n bytes were put into what Buffer returned.
func (p *Parser) Wrote(n int) {}

// Next returns the next complete command, at least one argument long; nil when
// more bytes are needed. Its arguments point into the read buffer and are good
// until Release. The error (*errs.Error of kind Protocol, or ErrAttack for a
// POST or Host: line, or ErrTooBig past MaxBuffer) is final.
func (p *Parser) Next() (argv [][]byte, err error) { return nil, nil }

// Release says that every command handed out has been run: what is left over is
// moved to a buffer of the parser's own, or nothing is kept.
func (p *Parser) Release() {}

// Buffered is the number of bytes that wait for a command to complete; Cap is
// the memory the parser holds for them (CLIENT LIST's qbuf and the like).
func (p *Parser) Buffered() int { return 0 }

// Cap is the size of the buffers the parser owns.
func (p *Parser) Cap() int { return 0 }
