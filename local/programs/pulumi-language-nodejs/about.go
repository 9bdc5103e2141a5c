package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pulumi/pulumi/sdk/v3/nodejs/npm"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// About is for `pulumi about`, and for what an update records of the machine.
func (h *host) About(ctx context.Context, request *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	options, err := readOptions(request.Info)
	if err != nil {
		return nil, err
	}
	node, err := findNode()
	if err != nil {
		return nil, err
	}
	version, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", node, err)
	}
	about := &pulumirpc.AboutResponse{Executable: node, Version: strings.TrimSpace(string(version)), Metadata: map[string]string{}}
	// A program runs without a package manager.
	if manager, err := npm.ResolvePackageManager(options.packageManager, request.Info.ProgramDirectory); err == nil {
		about.Metadata["packagemanager"] = manager.Name()
	}
	return about, nil
}

// GetProgramDependencies reads them from the lock file.
func (h *host) GetProgramDependencies(ctx context.Context, request *pulumirpc.GetProgramDependenciesRequest) (*pulumirpc.GetProgramDependenciesResponse, error) {
	options, err := readOptions(request.Info)
	if err != nil {
		return nil, err
	}
	manager, err := npm.ResolvePackageManager(options.packageManager, request.Info.ProgramDirectory)
	if err != nil {
		return nil, err
	}
	packages, err := manager.ListPackages(ctx, request.Info.ProgramDirectory, request.TransitiveDependencies)
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, each := range packages {
		response.Dependencies = append(response.Dependencies, &pulumirpc.DependencyInfo{Name: each.Name, Version: each.Version})
	}
	return response, nil
}

// InstallDependencies is for `pulumi install`: the package manager of the project runs in
// the folder that its workspace has its lock file in.
func (h *host) InstallDependencies(request *pulumirpc.InstallDependenciesRequest, server pulumirpc.LanguageRuntime_InstallDependenciesServer) error {
	if request.UseLanguageVersionTools {
		return status.Error(codes.Unimplemented, "--use-language-version-tools")
	}
	options, err := readOptions(request.Info)
	if err != nil {
		return err
	}
	directory := request.Info.ProgramDirectory
	if root, err := npm.FindWorkspaceRoot(directory); err == nil {
		directory = root
	} else if !errors.Is(err, npm.ErrNotInWorkspace) {
		return err
	}
	stream := &oneAtATime{}
	stdout := stream.writer(func(text []byte) error {
		return server.Send(&pulumirpc.InstallDependenciesResponse{Stdout: text})
	})
	stderr := stream.writer(func(text []byte) error {
		return server.Send(&pulumirpc.InstallDependenciesResponse{Stderr: text})
	})
	_, err = npm.Install(server.Context(), options.packageManager, directory, options.production, stdout, stderr)
	return err
}
