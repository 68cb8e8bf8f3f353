// Command miniredis runs miniredis in a process of its own, so that its CPU time
// and memory can be measured as those of other servers. It is a module of its
// own, as nothing else here depends on miniredis.
package main

import (
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/alicebob/miniredis/v2"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: miniredis PORT")
	}
	m := miniredis.NewMiniRedis()
	if err := m.StartAddr("127.0.0.1:" + os.Args[1]); err != nil {
		log.Fatal(err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	m.Close()
}
