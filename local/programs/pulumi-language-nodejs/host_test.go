package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"bluegreen/local/programs/pluginmain"
)

// Started with it, the tests' own program is the host's.
const asHost = "TEST_AS_HOST"

func TestMain(m *testing.M) {
	if os.Getenv(asHost) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A project is a folder with a program in a workspace: the SDK lies above it. The SDK is a
// fake, a script in place of @pulumi/pulumi/cmd/run: these tests are about the process that
// runs it. tests/pulumi/host.test.ts runs the real one.
type project struct {
	directory, root string
}

func newProject(t *testing.T, module, script string) project {
	t.Helper()
	root := t.TempDir()
	write := func(path, content string) {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("node_modules/@pulumi/pulumi/package.json", `{"name": "@pulumi/pulumi", "version": "0.0.0"}`)
	write("node_modules/@pulumi/pulumi/cmd/"+module+"/index.js", script)
	write("packages/shop/package.json", `{"name": "shop"}`)
	return project{directory: filepath.Join(root, "packages/shop"), root: root}
}

func (p project) info(t *testing.T, options map[string]any) *pulumirpc.ProgramInfo {
	t.Helper()
	given, err := structpb.NewStruct(options)
	if err != nil {
		t.Fatal(err)
	}
	return &pulumirpc.ProgramInfo{RootDirectory: p.directory, ProgramDirectory: p.directory, EntryPoint: ".", Options: given}
}

// serve serves a host as main does, and gives what its programs write line by line.
func serve(t *testing.T) (pulumirpc.LanguageRuntimeClient, <-chan string) {
	t.Helper()
	read, write := io.Pipe()
	host := newHost(pluginmain.Arguments{Engine: "127.0.0.1:1"}, write, write)
	t.Cleanup(host.processes.kill)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, host)
			return nil
		},
		Options: refusals(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return dial(t, handle.Port), lines(read)
}

func dial(t *testing.T, port int) pulumirpc.LanguageRuntimeClient {
	t.Helper()
	connection, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return pulumirpc.NewLanguageRuntimeClient(connection)
}

func lines(from io.Reader) <-chan string {
	read := make(chan string, 1000)
	go func() {
		defer close(read)
		for scanner := bufio.NewScanner(from); scanner.Scan(); {
			read <- scanner.Text()
		}
	}()
	return read
}

func next(t *testing.T, from <-chan string) string {
	t.Helper()
	select {
	case line, open := <-from:
		if !open {
			t.Fatal("nothing more is written")
		}
		return line
	case <-time.After(30 * time.Second):
		t.Fatal("nothing is written")
	}
	return ""
}

// pids reads a line of process numbers.
func pids(t *testing.T, from <-chan string) []int {
	t.Helper()
	var read []int
	line := next(t, from)
	if err := json.Unmarshal([]byte(line), &read); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return read
}

// A watched process, by a handle that is that of no later process of the same number.
type watched struct{ pid, handle int }

func watch(t *testing.T, pids []int) []watched {
	t.Helper()
	var all []watched
	for _, pid := range pids {
		handle, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatalf("process %d does not run: %v", pid, err)
		}
		t.Cleanup(func() { _ = unix.Close(handle) })
		all = append(all, watched{pid, handle})
	}
	return all
}

func expectEnd(t *testing.T, all []watched) {
	t.Helper()
	for _, each := range all {
		if !each.ended(t, 10*time.Second) {
			t.Errorf("process %d still runs", each.pid)
			_ = unix.PidfdSendSignal(each.handle, unix.SIGKILL, nil, 0)
		}
	}
}

func (w watched) ended(t *testing.T, within time.Duration) bool {
	t.Helper()
	for {
		ended, err := unix.Poll([]unix.PollFd{{Fd: int32(w.handle), Events: unix.POLLIN}}, int(within.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return ended == 1
	}
}

func run(t *testing.T, client pulumirpc.LanguageRuntimeClient, p project, options map[string]any) *pulumirpc.RunResponse {
	t.Helper()
	response, err := client.Run(t.Context(), &pulumirpc.RunRequest{Info: p.info(t, options), MonitorAddress: "127.0.0.1:2", Parallel: 4})
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestRunGivesTheProgramWhatItNeeds(t *testing.T) {
	t.Setenv("INHERITED", "yes")
	client, output := serve(t)
	p := newProject(t, "run", `
		const { env } = process;
		console.log(JSON.stringify({
			args: process.argv.slice(2), nodeArgs: process.execArgv, script: __filename,
			config: JSON.parse(env.PULUMI_CONFIG), secretKeys: JSON.parse(env.PULUMI_CONFIG_SECRET_KEYS),
			env: [env.PULUMI_NODEJS_TYPESCRIPT, env.PULUMI_NODEJS_TSCONFIG_PATH, env.INHERITED],
		}));`)
	info := p.info(t, map[string]any{"nodeargs": "--title 'my shop'", "typescript": false, "tsconfig": "tsconfig.run.json", "unknown": "left alone"})
	info.RootDirectory = p.root
	response, err := client.Run(t.Context(), &pulumirpc.RunRequest{
		Info: info, MonitorAddress: "127.0.0.1:2", Organization: "acme", Project: "shop", Stack: "test", DryRun: true, Parallel: 4, Args: []string{"--more"},
		Config: map[string]string{"shop:host": "shop.test", "shop:token": "hunter2"}, ConfigSecretKeys: []string{"shop:token"},
	})
	if err != nil || response.Error != "" || response.Bail {
		t.Fatalf("%v, %v", err, response)
	}
	var got struct {
		Args, NodeArgs, SecretKeys []string
		Script                     string
		Config                     map[string]string
		Env                        []*string
	}
	line := next(t, output)
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	want := []string{
		"--monitor", "127.0.0.1:2", "--engine", "127.0.0.1:1", "--organization", "acme", "--project", "shop", "--root-directory", p.root,
		"--stack", "test", "--pwd", p.directory, "--parallel", "4", "--dry-run", ".", "--more",
	}
	if !slices.Equal(got.Args, want) {
		t.Errorf("arguments %q, want %q", got.Args, want)
	}
	if !slices.Equal(got.NodeArgs, []string{"--title", "my shop"}) {
		t.Errorf("arguments of Node.js: %q", got.NodeArgs)
	}
	if got.Script != filepath.Join(p.root, "node_modules/@pulumi/pulumi/cmd/run/index.js") {
		t.Errorf("the SDK is that of %s", got.Script)
	}
	if got.Config["shop:config:host"] != "shop.test" || got.Config["shop:config:token"] != "hunter2" || !slices.Equal(got.SecretKeys, []string{"shop:token"}) {
		t.Errorf("config %v, secret %v", got.Config, got.SecretKeys)
	}
	if got.Env[0] != nil || got.Env[1] == nil || *got.Env[1] != "tsconfig.run.json" || got.Env[2] == nil {
		t.Errorf("variables: %s", line)
	}
	if strings.Contains(strings.Join(got.Args, " "), "hunter2") {
		t.Error("a secret is among the arguments")
	}
}

func TestRunDefaults(t *testing.T) {
	client, output := serve(t)
	p := newProject(t, "run", `console.log([process.env.PULUMI_NODEJS_TYPESCRIPT, process.env.PULUMI_CONFIG, process.env.PULUMI_CONFIG_SECRET_KEYS, process.argv.includes("--dry-run")].join());`)
	if response := run(t, client, p, nil); response.Error != "" {
		t.Fatal(response.Error)
	}
	if line := next(t, output); line != "true,{},[],false" {
		t.Errorf("got %s", line)
	}
}

func TestHandshakeNamesTheEngine(t *testing.T) {
	client, output := serve(t)
	if _, err := client.Handshake(t.Context(), &pulumirpc.LanguageHandshakeRequest{EngineAddress: "127.0.0.1:3"}); err != nil {
		t.Fatal(err)
	}
	p := newProject(t, "run", `console.log(process.argv[process.argv.indexOf("--engine") + 1]);`)
	run(t, client, p, nil)
	if line := next(t, output); line != "127.0.0.1:3" {
		t.Errorf("the engine is %s", line)
	}
}

func TestRunSaysHowTheProgramEnded(t *testing.T) {
	for name, each := range map[string]struct {
		script  string
		options map[string]any
		bail    bool
		says    []string
	}{
		"well":                {script: ``},
		"the SDK said it":     {script: `console.error("said"); process.exit(32);`, bail: true},
		"without a word":      {script: `process.exit(7);`, says: []string{"exit code 7", "process.exit"}},
		"thrown":              {script: `throw new Error("boom");`, says: []string{"exit code 1"}},
		"a signal":            {script: `process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);`, says: []string{"signal 9 (killed)", "memory"}},
		"a wrong option":      {options: map[string]any{"typescript": "yes"}, says: []string{"typescript is yes", "true or false", "Pulumi.yaml"}},
		"an unknown manager":  {options: map[string]any{"packagemanager": "cargo"}, says: []string{`packagemanager is "cargo"`, "npm, yarn, pnpm or bun"}},
		"an open quote":       {options: map[string]any{"nodeargs": "'"}, says: []string{`nodeargs is "'"`, "quotes have to be closed"}},
		"an argument of node": {options: map[string]any{"nodeargs": "--no-such-option"}, says: []string{"exit code 9"}},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := serve(t)
			response := run(t, client, newProject(t, "run", each.script), each.options)
			if response.Bail != each.bail || (response.Error == "") != (len(each.says) == 0) {
				t.Errorf("bail %t, error %q", response.Bail, response.Error)
			}
			for _, text := range each.says {
				if !strings.Contains(response.Error, text) {
					t.Errorf("%q does not say %q", response.Error, text)
				}
			}
		})
	}
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	client, _ := serve(t)
	p := newProject(t, "run-plugin", ``)
	if got := run(t, client, p, nil).Error; !strings.Contains(got, "finds no @pulumi/pulumi/cmd/run from "+p.directory) || !strings.Contains(got, "npm install @pulumi/pulumi") {
		t.Errorf("without the SDK: %q", got)
	}
	t.Setenv("PATH", t.TempDir())
	if got := run(t, client, p, nil).Error; !strings.Contains(got, "no node on PATH") || !strings.Contains(got, "https://nodejs.org/") {
		t.Errorf("without Node.js: %q", got)
	}
}

// A family is a program with a process of its own. It says both numbers when both run, and
// a deaf one does not end when it is interrupted.
func family(deaf bool) string {
	parent, child := "", "setInterval(() => {}, 1000); console.log('up');"
	if deaf {
		parent, child = `process.on("SIGINT", () => console.log("interrupted"));`, "process.on('SIGINT', () => {});"+child
	}
	return parent + fmt.Sprintf(`
		const child = require("node:child_process").spawn(process.execPath, ["-e", %q], { stdio: ["ignore", "pipe", "inherit"] });
		child.stdout.once("data", () => console.log(JSON.stringify([process.pid, child.pid])));
		setInterval(() => {}, 1000);`, child)
}

type ended struct {
	response *pulumirpc.RunResponse
	err      error
}

func start(ctx context.Context, t *testing.T, client pulumirpc.LanguageRuntimeClient, p project) <-chan ended {
	t.Helper()
	end := make(chan ended, 1)
	info := p.info(t, nil)
	go func() {
		response, err := client.Run(ctx, &pulumirpc.RunRequest{Info: info, MonitorAddress: "127.0.0.1:2"})
		end <- ended{response, err}
	}()
	return end
}

func TestCancelEndsTheProgramAndItsProcesses(t *testing.T) {
	client, output := serve(t)
	end := start(t.Context(), t, client, newProject(t, "run", family(false)))
	running := watch(t, pids(t, output))
	if _, err := client.Cancel(t.Context(), &emptypb.Empty{}); err != nil {
		t.Fatal(err)
	}
	expectEnd(t, running)
	// Pulumi says itself that it was canceled.
	if got := <-end; got.err != nil || !got.response.Bail || got.response.Error != "" {
		t.Errorf("%v, %v", got.response, got.err)
	}
}

func TestCancelTwiceWaitsForNobody(t *testing.T) {
	client, output := serve(t)
	end := start(t.Context(), t, client, newProject(t, "run", family(true)))
	running := watch(t, pids(t, output))
	if _, err := client.Cancel(t.Context(), &emptypb.Empty{}); err != nil {
		t.Fatal(err)
	}
	if line := next(t, output); line != "interrupted" || running[0].ended(t, 0) {
		t.Errorf("the program is interrupted first, and has the time to end: %s", line)
	}
	canceled := time.Now()
	if _, err := client.Cancel(t.Context(), &emptypb.Empty{}); err != nil {
		t.Fatal(err)
	}
	expectEnd(t, running)
	if took := time.Since(canceled); took >= interruptTime {
		t.Errorf("the second time took %v", took)
	}
	<-end
}

func TestAProgramThatDoesNotListenIsKilled(t *testing.T) {
	client, output := serve(t)
	end := start(t.Context(), t, client, newProject(t, "run", family(true)))
	running := watch(t, pids(t, output))
	if _, err := client.Cancel(t.Context(), &emptypb.Empty{}); err != nil {
		t.Fatal(err)
	}
	expectEnd(t, running)
	<-end
}

func TestARunEndsWithItsRequest(t *testing.T) {
	client, output := serve(t)
	ctx, stop := context.WithCancel(t.Context())
	end := start(ctx, t, client, newProject(t, "run", family(false)))
	running := watch(t, pids(t, output))
	stop()
	expectEnd(t, running)
	if got := <-end; status.Code(got.err) != codes.Canceled {
		t.Errorf("%v, %v", got.response, got.err)
	}
}

func TestAProgramLeavesNothingBehind(t *testing.T) {
	client, output := serve(t)
	end := start(t.Context(), t, client, newProject(t, "run", family(false)+`child.stdout.once("data", () => process.exit(0));`))
	numbers := pids(t, output)
	got := <-end
	if got.err != nil || got.response.Error != "" {
		t.Errorf("%v, %v", got.response, got.err)
	}
	// What was killed may take a moment to go; what has gone has no handle.
	if handle, err := unix.PidfdOpen(numbers[1], 0); err == nil {
		t.Cleanup(func() { _ = unix.Close(handle) })
		expectEnd(t, []watched{{numbers[1], handle}})
	}
}

// startHost starts the host's own program, as Pulumi does.
func startHost(t *testing.T) (*exec.Cmd, io.Closer, pulumirpc.LanguageRuntimeClient, <-chan string) {
	t.Helper()
	command := exec.Command(os.Args[0], "-v=1", "--logtostderr", "--tracing", "", "127.0.0.1:1")
	command.Env = append(os.Environ(), asHost+"=yes")
	command.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	output := lines(stdout)
	var port int
	if _, err := fmt.Sscan(next(t, output), &port); err != nil {
		t.Fatal(err)
	}
	return command, stdin, dial(t, port), output
}

func TestNothingOutlivesTheHost(t *testing.T) {
	for name, finish := range map[string]func(*exec.Cmd, io.Closer) error{
		// The end of the pipe is how a host sees that Pulumi was killed.
		"Pulumi is gone":          func(_ *exec.Cmd, stdin io.Closer) error { return stdin.Close() },
		"the host is interrupted": func(host *exec.Cmd, _ io.Closer) error { return unix.Kill(-host.Process.Pid, unix.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			host, stdin, client, output := startHost(t)
			start(t.Context(), t, client, newProject(t, "run", family(true)))
			running := watch(t, append(pids(t, output), host.Process.Pid))
			if err := finish(host, stdin); err != nil {
				t.Fatal(err)
			}
			expectEnd(t, running)
		})
	}
	// The kernel ends what the host started itself; the rest it has no way to know.
	t.Run("the host is killed", func(t *testing.T) {
		host, _, client, output := startHost(t)
		start(t.Context(), t, client, newProject(t, "run", `process.on("SIGINT", () => {}); setInterval(() => {}, 1000); console.log(JSON.stringify([process.pid]));`))
		running := watch(t, pids(t, output))
		if err := host.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		expectEnd(t, running)
	})
}

func TestAHostStartedByHandStays(t *testing.T) {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), asHost+"=yes")
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		if err := command.Wait(); err != nil {
			t.Errorf("interrupted, the host ends well: %v", err)
		}
	})
	var port int
	if _, err := fmt.Fscan(stdout, &port); err != nil {
		t.Fatal(err)
	}
	client := dial(t, port)
	_, err = client.Run(t.Context(), &pulumirpc.RunRequest{Info: &pulumirpc.ProgramInfo{}})
	if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "Handshake") {
		t.Errorf("without an engine: %v", err)
	}
}

func TestWhatTheHostDoesNotDo(t *testing.T) {
	client, _ := serve(t)
	p := newProject(t, "run", ``)
	stream, err := client.InstallDependencies(t.Context(), &pulumirpc.InstallDependenciesRequest{Info: p.info(t, nil), UseLanguageVersionTools: true})
	if err != nil {
		t.Fatal(err)
	}
	for method, err := range map[string]error{
		"LanguageRuntime/GenerateProgram":     second(client.GenerateProgram(t.Context(), &pulumirpc.GenerateProgramRequest{})),
		"LanguageRuntime/Pack":                second(client.Pack(t.Context(), &pulumirpc.PackRequest{})),
		"--use-language-version-tools":        second(stream.Recv()),
		"a debugger cannot be attached":       second(client.Run(t.Context(), &pulumirpc.RunRequest{Info: p.info(t, nil), AttachDebugger: true})),
		"LanguageRuntime/GetRequiredPlugins":  second(client.GetRequiredPlugins(t.Context(), &pulumirpc.GetRequiredPluginsRequest{})),
		"LanguageRuntime/InstallDependencies": second(stream.Recv()),
	} {
		if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), method) || !strings.Contains(err.Error(), "https://www.pulumi.com/docs/install/") {
			t.Errorf("%s: %v", method, err)
		}
	}
	packages, err := client.GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{Info: p.info(t, nil)})
	if err != nil || len(packages.Packages) > 0 {
		t.Errorf("%v, %v", packages, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAbout(t *testing.T) {
	client, _ := serve(t)
	p := newProject(t, "run", ``)
	lock := `{
  "name": "shop",
  "lockfileVersion": 3,
  "packages": {
    "": {
      "name": "shop"
    },
    "node_modules/left": {
      "version": "1.0.0"
    },
    "node_modules/right": {
      "version": "2.0.0"
    }
  }
}`
	if err := os.WriteFile(filepath.Join(p.directory, "package-lock.json"), []byte(lock), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.directory, "package.json"), []byte(`{"name": "shop", "dependencies": {"left": "1.0.0"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	about, err := client.About(t.Context(), &pulumirpc.AboutRequest{Info: p.info(t, map[string]any{"packagemanager": "npm"})})
	if err != nil {
		t.Fatal(err)
	}
	node, _ := exec.LookPath("node")
	version, _ := exec.Command(node, "--version").Output()
	if about.Executable != node || about.Version != strings.TrimSpace(string(version)) || about.Metadata["packagemanager"] != "npm" {
		t.Errorf("%v", about)
	}
	for transitive, want := range map[bool]int{false: 1, true: 2} {
		dependencies, err := client.GetProgramDependencies(t.Context(), &pulumirpc.GetProgramDependenciesRequest{Info: p.info(t, nil), TransitiveDependencies: transitive})
		if err != nil || len(dependencies.Dependencies) != want {
			t.Errorf("transitive %t: %v, %v", transitive, dependencies, err)
		}
	}
}

func TestInstallRunsThePackageManager(t *testing.T) {
	client, _ := serve(t)
	p := newProject(t, "run", ``)
	if err := os.WriteFile(filepath.Join(p.root, "package.json"), []byte(`{"name": "root", "private": true, "workspaces": ["packages/shop"]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	// A package manager that says where it runs and with what: which packages it installs is
	// its own business.
	tools := t.TempDir()
	if err := os.WriteFile(filepath.Join(tools, "npm"), []byte("#!/bin/sh\necho $PWD $@\necho warned >&2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	stream, err := client.InstallDependencies(t.Context(), &pulumirpc.InstallDependenciesRequest{Info: p.info(t, map[string]any{"production": true})})
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr string
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		stdout, stderr = stdout+string(message.Stdout), stderr+string(message.Stderr)
	}
	if !strings.Contains(stdout, p.root+" install") || !strings.Contains(stdout, "--production") || !strings.Contains(stderr, "warned") {
		t.Errorf("stdout %q, stderr %q", stdout, stderr)
	}
}
