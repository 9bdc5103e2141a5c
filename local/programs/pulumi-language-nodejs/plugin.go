package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// RunPlugin runs a policy pack or a provider that is written in TypeScript, until Pulumi
// ends the call, and streams what it writes: its first line is its port.
func (h *host) RunPlugin(request *pulumirpc.RunPluginRequest, server pulumirpc.LanguageRuntime_RunPluginServer) error {
	if request.AttachDebugger {
		return noDebugger
	}
	stream := &oneAtATime{}
	stdout := stream.writer(func(text []byte) error {
		return server.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: text}})
	})
	stderr := stream.writer(func(text []byte) error {
		return server.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: text}})
	})
	var err error
	if request.Kind == string(apitype.AnalyzerPlugin) {
		err = h.runPolicyPack(server.Context(), request, stdout, stderr)
	} else {
		err = h.runProvider(server.Context(), request, stdout, stderr)
	}
	if err != nil {
		return fmt.Errorf("the %s plugin in %s did not run to its end; see what it wrote above: %w", request.Kind, request.Info.ProgramDirectory, err)
	}
	return nil
}

func (h *host) runProvider(ctx context.Context, request *pulumirpc.RunPluginRequest, stdout, stderr io.Writer) error {
	command, err := pluginCommand(ctx, request, "@pulumi/pulumi/cmd/run-plugin", append([]string{request.Info.ProgramDirectory}, request.Args...))
	if err != nil {
		return err
	}
	command.Dir = request.Pwd
	command.Stdout, command.Stderr = stdout, stderr
	return h.processes.run(command, func() error { return waitForGroup(command) })
}

// runPolicyPack runs the pack in its own folder, and with what it can ask of the SDK about
// the stack. Pulumi tells that to a pack that runs already; the SDK has it in variables
// when a pack starts. So the SDK's proxy answers Pulumi first, and the pack afterwards.
func (h *host) runPolicyPack(ctx context.Context, request *pulumirpc.RunPluginRequest, stdout, stderr io.Writer) error {
	command, err := pluginCommand(ctx, request, "@pulumi/pulumi/cmd/run-policy-pack", append(request.Args, request.Info.ProgramDirectory))
	if err != nil {
		return err
	}
	proxy, packOutput, err := sdk.NewPolicyProxy(ctx, stdout)
	if err != nil {
		return fmt.Errorf("cannot serve the policy pack: %w", err)
	}
	stack, err := proxy.AwaitConfiguration(ctx)
	if err != nil {
		return fmt.Errorf("the policy pack was told nothing of the stack: %w", err)
	}
	if stack != nil {
		settings, err := json.Marshal(stack.Config)
		if err != nil {
			return err
		}
		command.Env = append(command.Env,
			"PULUMI_NODEJS_ORGANIZATION="+stack.Organization,
			"PULUMI_NODEJS_PROJECT="+stack.Project,
			"PULUMI_NODEJS_STACK="+stack.Stack,
			"PULUMI_NODEJS_DRY_RUN="+strconv.FormatBool(stack.DryRun))
		if len(stack.Config) > 0 {
			command.Env = append(command.Env, "PULUMI_CONFIG="+string(settings))
		}
	}
	command.Dir = request.Info.ProgramDirectory
	command.Stdout, command.Stderr = packOutput, stderr
	err = h.processes.run(command, func() error { return proxy.Attach(ctx, command) })
	if err != nil {
		// It lets go of whoever asks a pack that never came.
		proxy.Abort(err)
	}
	return err
}

// pluginCommand ends with its context, and all that it has started with it.
func pluginCommand(ctx context.Context, request *pulumirpc.RunPluginRequest, module string, arguments []string) (*exec.Cmd, error) {
	options, err := readOptions(request.Info)
	if err != nil {
		return nil, err
	}
	node, err := findNode()
	if err != nil {
		return nil, err
	}
	script, err := resolve(ctx, node, module, request.Info.ProgramDirectory)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, node, append(append(options.nodeArguments, script), arguments...)...)
	command.Env = append(request.Env, options.environment()...)
	command.Cancel = func() error { return killGroup(command.Process.Pid) }
	return command, nil
}
