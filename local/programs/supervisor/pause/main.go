// Command pause holds a pod's namespaces open until it is told to end. It is
// process 1 of the pod's sandbox, so it has to act on the signal by itself.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
}
