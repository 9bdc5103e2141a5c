package main

import (
	"errors"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Time that a program has to end after it was interrupted.
const interruptTime = 5 * time.Second

// Processes are what the host has started and what has not ended yet. Each leads a
// process group, which has what it starts itself.
type processes struct {
	mutex   sync.Mutex
	leaders map[int]struct{}
}

// run starts the command and returns what wait, which waits for its end, returns.
//
// The kernel kills the command when the host dies without being asked to: a host that
// is killed cannot end anything itself. The kernel takes the death of the thread that
// started the command for it, so the thread is kept.
func (p *processes) run(command *exec.Cmd, wait func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	command.WaitDelay = interruptTime
	if err := command.Start(); err != nil {
		return err
	}
	leader := command.Process.Pid
	p.mutex.Lock()
	if p.leaders == nil {
		p.leaders = map[int]struct{}{}
	}
	p.leaders[leader] = struct{}{}
	p.mutex.Unlock()
	defer func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		delete(p.leaders, leader)
	}()
	return wait()
}

// kill ends all of them at once.
func (p *processes) kill() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for leader := range p.leaders {
		_ = killGroup(leader)
	}
}

// waitForGroup waits for the end of the command and ends what it has left behind. The
// command's number, which is that of its group, stays taken until Wait.
func waitForGroup(command *exec.Cmd) error {
	for {
		err := unix.Waitid(unix.P_PID, command.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	_ = killGroup(command.Process.Pid)
	return command.Wait()
}

func interruptGroup(leader int) error {
	return syscall.Kill(-leader, syscall.SIGINT)
}

func killGroup(leader int) error {
	return syscall.Kill(-leader, syscall.SIGKILL)
}
