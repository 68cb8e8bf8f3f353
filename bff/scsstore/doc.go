// Package scsstore joins bff's stores and those of github.com/alexedwards/scs, in
// both directions:
//
//	sessions := scs.New()
//	sessions.Store = scsstore.New(store, scsstore.Options{}) // scs' sessions in a store of ours
//
//	m := bff.New()
//	m.Store = scsstore.From(theirs, scsstore.FromOptions{}) // bff's sessions in a store of scs
//
// It needs nothing of scs itself: the interfaces have its methods.
package scsstore
