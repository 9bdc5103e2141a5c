package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

const restartDelay = time.Second

// supervision is process 1: it starts every component, starts it again when it
// ends, and reaps whatever else ends in the process namespace.
type supervision struct {
	stage  stage
	lock   sync.Mutex
	status map[string]*componentStatus
	ended  map[int]chan syscall.WaitStatus
}

func runInit(stage stage, file string) error {
	if err := prepare(stage); err != nil {
		return err
	}
	s := &supervision{stage: stage, status: map[string]*componentStatus{}, ended: map[int]chan syscall.WaitStatus{}}
	for index, address := range stage.Forwards {
		if err := forward(index, address); err != nil {
			return err
		}
	}
	s.start(stage.Components)
	go s.followChanges(file)
	s.reap()
	return nil
}

// start runs those of the components that do not run yet.
func (s *supervision) start(components []component) {
	var added []component
	s.lock.Lock()
	for _, component := range components {
		if s.status[component.Name] == nil {
			s.status[component.Name] = &componentStatus{}
			added = append(added, component)
		}
	}
	s.lock.Unlock()
	for _, component := range added {
		go s.run(component)
	}
}

// followChanges starts what the stage's file has got since, at each SIGHUP. A
// file that cannot be read must not end process 1, and everything with it.
func (s *supervision) followChanges(file string) {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGHUP)
	for range changed {
		var stage stage
		content, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(content, &stage)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s has changed and cannot be read: %v\n", file, err)
			continue
		}
		s.start(stage.Components)
	}
}

// prepare makes the namespaces a place of their own. Setup commands run here,
// before the reaping starts, because two waiters would take each other's children.
func prepare(stage stage) error {
	if err := syscall.Sethostname([]byte(stage.Hostname)); err != nil {
		return err
	}
	// Nothing mounted in here may show outside.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("cannot make the mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("cannot mount /proc: %w", err)
	}
	for _, sysctl := range stage.Sysctls {
		if err := os.WriteFile(sysctl.File, []byte(sysctl.Value), 0); err != nil {
			return err
		}
	}
	for _, mount := range stage.Mounts {
		if err := mount.make(); err != nil {
			return fmt.Errorf("cannot mount %q on %s: %w", mount.Source, mount.Target, err)
		}
	}
	for _, argv := range stage.Setup {
		if output, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, output)
		}
	}
	return nil
}

func (m mount) make() error {
	if m.Source == "" {
		return syscall.Mount("tmpfs", m.Target, "tmpfs", 0, "mode="+m.Mode)
	}
	// A target made by an earlier mount of ours (a folder on its tmpfs) may be missing.
	if _, err := os.Stat(m.Target); err != nil {
		if err := os.MkdirAll(m.Target, 0o755); err != nil {
			return err
		}
	}
	return syscall.Mount(m.Source, m.Target, "", syscall.MS_BIND|syscall.MS_REC, "")
}

func (s *supervision) run(component component) {
	for {
		for _, address := range component.WaitFor {
			if err := waitFor(address); err != nil {
				s.note(component.Name, func(status *componentStatus) { status.LastExit = err.Error() })
				return
			}
		}
		if ended, err := s.launch(component); err != nil {
			s.note(component.Name, func(status *componentStatus) { status.Starts++; status.LastExit = err.Error() })
		} else {
			exit := <-ended
			s.note(component.Name, func(status *componentStatus) { status.PID = 0; status.LastExit = describe(exit) })
		}
		time.Sleep(restartDelay)
	}
}

func (s *supervision) launch(component component) (<-chan syscall.WaitStatus, error) {
	log, err := os.OpenFile(component.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	env := []string{}
	for name, value := range component.Env {
		env = append(env, name+"="+value)
	}
	// Starting under the lock: the reaper cannot see an end before the channel is there.
	s.lock.Lock()
	process, err := os.StartProcess(component.Argv[0], component.Argv, &os.ProcAttr{
		Dir:   "/",
		Env:   env,
		Files: []*os.File{null, log, log},
		Sys: &syscall.SysProcAttr{
			Setsid:     true,
			Credential: &syscall.Credential{Uid: component.UID, Gid: component.GID},
		},
	})
	if err != nil {
		s.lock.Unlock()
		return nil, err
	}
	pid := process.Pid
	_ = process.Release()
	ended := make(chan syscall.WaitStatus, 1)
	s.ended[pid] = ended
	s.lock.Unlock()
	s.note(component.Name, func(status *componentStatus) {
		status.PID = pid
		status.Starts++
		status.Since = time.Now().UnixMilli()
	})
	return ended, nil
}

func (s *supervision) reap() {
	for {
		var exit syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &exit, 0, nil)
		if err != nil {
			time.Sleep(pollInterval) // no child yet
			continue
		}
		s.lock.Lock()
		ended, known := s.ended[pid]
		delete(s.ended, pid)
		s.lock.Unlock()
		if known {
			ended <- exit
		}
	}
}

// note changes a component's status and writes the file in one rename, so that
// a reader outside never sees half of it.
func (s *supervision) note(name string, change func(*componentStatus)) {
	s.lock.Lock()
	defer s.lock.Unlock()
	change(s.status[name])
	content, err := json.Marshal(s.status)
	if err != nil {
		return
	}
	temporary := s.stage.Status + ".new"
	if os.WriteFile(temporary, content, 0o600) == nil {
		_ = os.Rename(temporary, s.stage.Status)
	}
}

func describe(exit syscall.WaitStatus) string {
	if exit.Signaled() {
		return "ended by signal " + exit.Signal().String()
	}
	return fmt.Sprintf("exit code %d", exit.ExitStatus())
}
