//go:build !race

package clienttest

// raceBuild says that the tests run with the race detector; the server is then
// built with it too.
const raceBuild = false
