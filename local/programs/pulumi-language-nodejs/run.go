package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// The SDK exits with it when it has shown the error to the user itself.
const exitAfterMessage = 32

// Run runs a program to its end. The program speaks to Pulumi without the proxy that
// Pulumi's own host puts between them, which serves SDKs older than 3.72: they invoke
// functions through files (--sync) and send aliases that have to be corrected.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	engine, err := h.engineAddress()
	if err != nil {
		return nil, err
	}
	if request.AttachDebugger {
		return nil, noDebugger
	}
	// The request ends when Pulumi dies; the programs end when it cancels.
	running, stop := context.WithCancel(h.programs)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	command, err := h.program(running, engine, request)
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	command.Cancel = func() error { return interruptGroup(command.Process.Pid) }
	err = h.processes.run(command, func() error { return waitForGroup(command) })
	if running.Err() != nil {
		// Who canceled knows it.
		return &pulumirpc.RunResponse{Bail: true}, nil
	}
	return outcome(err), nil
}

var noDebugger = status.Error(codes.Unimplemented, "a debugger cannot be attached")

// program makes the command. Secrets of the stack's config are in its environment, never
// among its arguments, which every user of the machine can read.
func (h *host) program(ctx context.Context, engine string, request *pulumirpc.RunRequest) (*exec.Cmd, error) {
	options, err := readOptions(request.Info)
	if err != nil {
		return nil, err
	}
	settings, err := stackConfig(request)
	if err != nil {
		return nil, err
	}
	node, err := findNode()
	if err != nil {
		return nil, err
	}
	script, err := resolve(ctx, node, "@pulumi/pulumi/cmd/run", request.Info.ProgramDirectory)
	if err != nil {
		return nil, err
	}
	arguments := append(options.nodeArguments, script)
	for _, each := range []struct{ name, value string }{
		{"monitor", request.MonitorAddress},
		{"engine", engine},
		{"organization", request.Organization},
		{"project", request.Project},
		{"root-directory", request.Info.RootDirectory},
		{"stack", request.Stack},
		{"pwd", request.Info.ProgramDirectory},
		{"parallel", strconv.Itoa(int(request.Parallel))},
		{"tracing", h.tracing},
	} {
		if each.value != "" {
			arguments = append(arguments, "--"+each.name, each.value)
		}
	}
	if request.DryRun {
		arguments = append(arguments, "--dry-run")
	}
	arguments = append(arguments, request.Info.EntryPoint)
	arguments = append(arguments, request.Args...)

	command := exec.CommandContext(ctx, node, arguments...)
	command.Env = append(append(os.Environ(), settings...), options.environment()...)
	// Through the host, not as its own files: Node.js makes what it writes to non-blocking
	// for everybody who has it.
	command.Stdout = struct{ io.Writer }{h.stdout}
	command.Stderr = struct{ io.Writer }{h.stderr}
	return command, nil
}

// stackConfig is the stack's config as the SDK reads it, with the keys that SDKs of all
// versions know: NAMESPACE:config:NAME.
func stackConfig(request *pulumirpc.RunRequest) ([]string, error) {
	values := map[string]string{}
	for name, value := range request.Config {
		key, err := config.ParseKey(name)
		if err != nil {
			return nil, fmt.Errorf("config key %q: %w", name, err)
		}
		values[key.Namespace()+":config:"+key.Name()] = value
	}
	encoded, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	secrets, err := json.Marshal(append([]string{}, request.ConfigSecretKeys...))
	if err != nil {
		return nil, err
	}
	return []string{"PULUMI_CONFIG=" + string(encoded), "PULUMI_CONFIG_SECRET_KEYS=" + string(secrets)}, nil
}

// outcome tells Pulumi how the program ended.
func outcome(err error) *pulumirpc.RunResponse {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program cannot be run: %v", err)}
	}
	if err == nil {
		return &pulumirpc.RunResponse{}
	}
	if ended := exit.Sys().(syscall.WaitStatus); ended.Signaled() {
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program was ended by signal %d (%s). If memory ran out, give it more, or let Node.js use more: NODE_OPTIONS=--max-old-space-size=MEGABYTES", ended.Signal(), ended.Signal())}
	}
	if exit.ExitCode() == exitAfterMessage {
		return &pulumirpc.RunResponse{Bail: true}
	}
	return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with exit code %d and gave Pulumi no error. See what it wrote above, and look for process.exit in it", exit.ExitCode())}
}
