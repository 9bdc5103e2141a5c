package main

import (
	"io"
	"net"
	"os"
)

// The first inherited socket: 0 to 2 are the standard streams.
const firstSocket = 3

// forward serves an inherited socket (opened outside the namespaces) by
// connecting each caller to an address inside them.
func forward(index int, address string) error {
	listener, err := net.FileListener(os.NewFile(uintptr(firstSocket+index), address))
	if err != nil {
		return err
	}
	go func() {
		for {
			outside, err := listener.Accept()
			if err != nil {
				continue
			}
			go join(outside, address)
		}
	}()
	return nil
}

func join(outside net.Conn, address string) {
	defer outside.Close()
	inside, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer inside.Close()
	go relay(inside, outside)
	relay(outside, inside)
}

// relay copies one direction and passes the end of it on, so that a half-closed
// connection still delivers the other direction.
func relay(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.(*net.TCPConn).CloseWrite()
}
