package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// The first inherited socket: 0 to 2 are the standard streams.
const firstSocket = 3

// forward serves an inherited socket (opened outside the namespaces) by
// connecting each caller to an address inside them.
func forward(index int, target string) error {
	listener, err := net.FileListener(os.NewFile(uintptr(firstSocket+index), target))
	if err != nil {
		return err
	}
	go func() {
		for {
			outside, err := listener.Accept()
			if err != nil {
				continue
			}
			go join(outside, target)
		}
	}()
	return nil
}

func join(outside net.Conn, target string) {
	defer outside.Close()
	address, err := addressOf(target)
	if err != nil {
		return
	}
	inside, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer inside.Close()
	go relay(inside, outside)
	relay(outside, inside)
}

// addressOf returns the target itself, or what the file that it names says now:
// a Service gets its address long after the stage has started, and another one
// when it is re-created.
func addressOf(target string) (string, error) {
	if !filepath.IsAbs(target) {
		return target, nil
	}
	content, err := os.ReadFile(target)
	return strings.TrimSpace(string(content)), err
}

// relay copies one direction and passes the end of it on, so that a half-closed
// connection still delivers the other direction.
func relay(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.(*net.TCPConn).CloseWrite()
}
