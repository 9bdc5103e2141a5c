package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
)

// start opens the ports outside, hands them to process 1 of new namespaces and
// returns. A socket stays in the network namespace it was made in: process 1
// accepts connections from outside although it cannot reach the outside itself.
func start(stage stage, file string) error {
	var sockets []*os.File
	var ports []int
	for range stage.Forwards {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		socket, err := listener.(*net.TCPListener).File()
		if err != nil {
			return err
		}
		sockets = append(sockets, socket)
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	log, err := os.OpenFile(stage.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	init := exec.Command("/proc/self/exe", "init", file)
	init.Args[0] = os.Args[0]
	init.Dir = "/"
	init.Stdout, init.Stderr = log, log
	init.ExtraFiles = sockets
	init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Setsid:     true,
	}
	if err := init.Start(); err != nil {
		return fmt.Errorf("cannot make the stage's namespaces: %w", err)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"pid":   init.Process.Pid,
		"ports": ports,
	})
}
