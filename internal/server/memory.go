package server

// outOfMemory says whether the store is over maxmemory and can not get below it.
func (s *Server) outOfMemory() bool { return false }
