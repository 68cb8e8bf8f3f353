// Package bfftest is for tests of what is built on package bff: a clock that is
// moved by hand, a browser that keeps cookies, a store that fails on demand, the
// races between a slow request and a logout, and (package storetest) what every
// store must do.
package bfftest
