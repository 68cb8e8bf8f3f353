//go:build !linux && !darwin

package server

// maxClientsOfSystem is not known here.
func maxClientsOfSystem(int) (most int, known bool) { return 0, false }
