package resp

import "sync"

// Buffers that are used again, of 1, 4, 16 and 64 KiB. They are kept as pointers
// to arrays, which a sync.Pool takes without allocating.

const (
	class0 = 1 << 10
	class1 = 4 << 10
	class2 = 16 << 10
	class3 = 64 << 10
)

var pool0, pool1, pool2, pool3 sync.Pool

// takeBuffer returns an empty buffer for n bytes: of a class, or beyond 64 KiB
// of just n.
func takeBuffer(n int) []byte {
	switch {
	case n <= class0:
		if a, ok := pool0.Get().(*[class0]byte); ok {
			return a[:0]
		}
		return make([]byte, 0, class0)
	case n <= class1:
		if a, ok := pool1.Get().(*[class1]byte); ok {
			return a[:0]
		}
		return make([]byte, 0, class1)
	case n <= class2:
		if a, ok := pool2.Get().(*[class2]byte); ok {
			return a[:0]
		}
		return make([]byte, 0, class2)
	case n <= class3:
		if a, ok := pool3.Get().(*[class3]byte); ok {
			return a[:0]
		}
		return make([]byte, 0, class3)
	}
	return make([]byte, 0, n)
}

// isClass says whether the pool would take a buffer of n bytes for one of its
// own.
func isClass(n int) bool { return n == class0 || n == class1 || n == class2 || n == class3 }

// giveBuffer takes back what takeBuffer returned; nobody uses it any more.
func giveBuffer(b []byte) {
	switch b = b[:cap(b)]; cap(b) {
	case class0:
		pool0.Put((*[class0]byte)(b))
	case class1:
		pool1.Put((*[class1]byte)(b))
	case class2:
		pool2.Put((*[class2]byte)(b))
	case class3:
		pool3.Put((*[class3]byte)(b))
	}
}
