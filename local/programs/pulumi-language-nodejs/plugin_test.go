package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// A pluginRun is a plugin's process as Pulumi sees it.
type pluginRun struct {
	stdout, stderr <-chan string
	err            <-chan error
}

func runPlugin(ctx context.Context, t *testing.T, client pulumirpc.LanguageRuntimeClient, request *pulumirpc.RunPluginRequest) pluginRun {
	t.Helper()
	stream, err := client.RunPlugin(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stdoutWriter := io.Pipe()
	stderr, stderrWriter := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		for {
			message, err := stream.Recv()
			if err != nil {
				_ = stdoutWriter.Close()
				_ = stderrWriter.Close()
				if err == io.EOF {
					err = nil
				}
				ended <- err
				return
			}
			_, _ = stdoutWriter.Write(message.GetStdout())
			_, _ = stderrWriter.Write(message.GetStderr())
		}
	}()
	return pluginRun{lines(stdout), lines(stderr), ended}
}

func TestRunPlugin(t *testing.T) {
	client, _ := serve(t)
	p := newProject(t, "run-plugin", `
		console.log("4711");
		console.log(JSON.stringify(process.argv.slice(2)));
		console.log([process.cwd(), process.env.FROM_PULUMI, process.env.PULUMI_NODEJS_TYPESCRIPT].join());
		console.error("a warning");`)
	pwd := t.TempDir()
	plugin := runPlugin(t.Context(), t, client, &pulumirpc.RunPluginRequest{
		Info: p.info(t, nil), Kind: "resource", Pwd: pwd, Args: []string{"127.0.0.1:1"}, Env: append(os.Environ(), "FROM_PULUMI=yes"),
	})
	for _, want := range []string{"4711", `["` + p.directory + `","127.0.0.1:1"]`, pwd + ",yes,true"} {
		if got := next(t, plugin.stdout); got != want {
			t.Errorf("stdout %q, want %q", got, want)
		}
	}
	if got := next(t, plugin.stderr); got != "a warning" {
		t.Errorf("stderr %q", got)
	}
	if err := <-plugin.err; err != nil {
		t.Error(err)
	}
}

func TestAPluginThatFailsSaysWhich(t *testing.T) {
	for name, each := range map[string]struct {
		kind, module, script string
		options              map[string]any
		says                 []string
	}{
		"a provider":           {kind: "resource", module: "run-plugin", script: `process.exit(3)`, says: []string{"resource plugin in", "exit status 3"}},
		"a policy pack":        {kind: "analyzer", module: "run-policy-pack", script: `throw new Error("no such rule")`, says: []string{"analyzer plugin in", "port"}},
		"a pack without SDK":   {kind: "analyzer", module: "run-plugin", says: []string{"finds no @pulumi/pulumi/cmd/run-policy-pack", "npm install @pulumi/pulumi"}},
		"a pack, wrong option": {kind: "analyzer", module: "run-policy-pack", options: map[string]any{"typescript": 1}, says: []string{"typescript is 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := serve(t)
			p := newProject(t, each.module, each.script)
			plugin := runPlugin(t.Context(), t, client, &pulumirpc.RunPluginRequest{Info: p.info(t, each.options), Kind: each.kind, Pwd: p.directory, Env: os.Environ()})
			if each.kind == "analyzer" && each.script != "" {
				configurePack(t, next(t, plugin.stdout))
			}
			err := <-plugin.err
			if err == nil {
				t.Fatal("it ends as if it had served")
			}
			for _, text := range append(each.says, p.directory) {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%v does not say %q", err, text)
				}
			}
			if each.script != "" && each.kind == "analyzer" {
				var stderr []string
				for line := range plugin.stderr {
					stderr = append(stderr, line)
				}
				if !slices.ContainsFunc(stderr, func(line string) bool { return strings.Contains(line, "no such rule") }) {
					t.Errorf("the reason is lost: %q", stderr)
				}
			}
		})
	}
}

// configurePack tells a pack of its stack, which starts it.
func configurePack(t *testing.T, port string) {
	t.Helper()
	if _, err := strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	client := pulumirpc.NewAnalyzerClient(connection)
	if _, err := client.Handshake(t.Context(), &pulumirpc.AnalyzerHandshakeRequest{EngineAddress: "127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{
		Stack: "test", Project: "shop", Organization: "acme", DryRun: true, Config: map[string]string{"shop:host": "shop.test"},
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAPolicyPackKnowsItsStack(t *testing.T) {
	client, _ := serve(t)
	// A fake of the SDK's script: it says what it was given, and is not ready yet.
	p := newProject(t, "run-policy-pack", `
		const { env } = process;
		console.error([env.PULUMI_NODEJS_ORGANIZATION, env.PULUMI_NODEJS_PROJECT, env.PULUMI_NODEJS_STACK, env.PULUMI_NODEJS_DRY_RUN, env.PULUMI_CONFIG, process.cwd(), JSON.stringify(process.argv.slice(2))].join(" "));
		process.on("SIGINT", () => {});
		const child = require("node:child_process").spawn(process.execPath, ["-e", "process.on('SIGINT', () => {}); setInterval(() => {}, 1000)"], { stdio: "ignore" });
		child.once("spawn", () => console.error(JSON.stringify([process.pid, child.pid])));
		setInterval(() => {}, 1000);`)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	pack := runPlugin(ctx, t, client, &pulumirpc.RunPluginRequest{Info: p.info(t, nil), Kind: "analyzer", Pwd: t.TempDir(), Args: []string{"127.0.0.1:1"}, Env: os.Environ()})
	configurePack(t, next(t, pack.stdout))
	want := strings.Join([]string{"acme shop test true", `{"shop:host":"shop.test"}`, p.directory, `["127.0.0.1:1","` + p.directory + `"]`}, " ")
	if got := next(t, pack.stderr); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	running := watch(t, pids(t, pack.stderr))
	// Canceling the programs leaves a pack alone: what runs is still judged by it.
	if _, err := client.Cancel(t.Context(), &emptypb.Empty{}); err != nil {
		t.Fatal(err)
	}
	if running[0].ended(t, 0) {
		t.Error("the pack was canceled with the programs")
	}
	stop()
	expectEnd(t, running)
}
