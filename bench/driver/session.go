//go:build linux

// Package driver puts load on a server that speaks RESP: session workloads over
// raw sockets, in a closed loop (each connection waits for its replies) or an
// open loop (commands leave at a given rate, whatever the server does, and
// latency counts from the intended moment, so that a stall is not hidden). It
// knows the bytes of the commands it sends and counts replies; it knows nothing
// of our server.
package driver

import (
	"bytes"
	"fmt"
)

// KeyPrefix begins every session key; 32 hexadecimal digits follow.
const KeyPrefix = "myapp:"

// KeyLen is the length of a session key in bytes.
const KeyLen = len(KeyPrefix) + 32

const hexDigits = "0123456789abcdef"

// AppendKey appends the key of session i. Keys look random and are always the
// same for the same i.
func AppendKey(dst []byte, i uint64) []byte {
	dst = append(dst, KeyPrefix...)
	dst = appendHex(dst, mix(2*i))
	return appendHex(dst, mix(2*i+1))
}

func appendHex(dst []byte, h uint64) []byte {
	for range 8 {
		dst = append(dst, hexDigits[h>>60], hexDigits[h>>56&15])
		h <<= 8
	}
	return dst
}

// mix is the finalizer of splitmix64: a bijection that looks random.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// MinValue is the size of the smallest session value that Value makes.
const MinValue = 200

// Value makes a session as express-session stores it, JSON of exactly size
// bytes, at least MinValue.
func Value(size int) []byte {
	head := `{"cookie":{"originalMaxAge":1800000,"expires":"2031-01-01T12:00:00.000Z","secure":true,"httpOnly":true,"path":"/","sameSite":"lax"},"user":{"id":"u-104711","name":"Ada"},"csrf":"`
	tail := `"}`
	fill := size - len(head) - len(tail)
	if fill < 0 {
		panic(fmt.Sprintf("driver: a session of %d bytes is too small", size))
	}
	var b bytes.Buffer
	b.WriteString(head)
	for i := range fill {
		b.WriteByte(hexDigits[mix(uint64(i))&15])
	}
	b.WriteString(tail)
	return b.Bytes()
}

// rng is a small source of chance with the same numbers for the same seed.
type rng struct{ state uint64 }

func (r *rng) next() uint64 {
	r.state++
	return mix(r.state)
}

// below returns a number in [0, n).
func (r *rng) below(n uint64) uint64 {
	return (r.next() >> 32) * n >> 32
}
