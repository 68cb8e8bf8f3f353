//go:build !unix

package disk

import (
	"io"
	"os"
)

// Lock implements FS. There is no lock that ends with the process here: it only finds
// out that the directory is there.
func (OS) Lock(dir string) (io.Closer, error) { return os.Open(dir) }
