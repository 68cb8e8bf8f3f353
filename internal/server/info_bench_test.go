package server_test

import (
	"testing"

	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
)

// INFO runs under the engine's lock: what it costs, others wait.
func BenchmarkInfo(b *testing.B) {
	srv := servertest.Start(b, func(o *server.Options) { o.Addr = "" })
	c := newCaller(b, srv)
	for _, section := range []string{"default", "everything", "server", "memory"} {
		b.Run(section, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.call("INFO", section)
			}
		})
	}
}
