// Package hostile attacks a server process with what took other stores down, and
// looks whether it stands: it answers, its memory and descriptors come back, its
// data are as they were, and what it replied was clear. It is all tests.
package hostile
