package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// findNode finds Node.js as a shell does.
func findNode() (string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", errors.New("there is no node on PATH, which runs the program; install Node.js 22 or newer: https://nodejs.org/")
	}
	return node, nil
}

// resolve finds the file of a module, as the program would get it: a workspace has its
// modules in a folder above. Node.js itself is asked where it lies in none of them.
func resolve(ctx context.Context, node, module, directory string) (string, error) {
	for folder := directory; ; folder = filepath.Dir(folder) {
		file, err := filepath.EvalSymlinks(filepath.Join(folder, "node_modules", module, "index.js"))
		if err == nil {
			return file, nil
		}
		if folder == filepath.Dir(folder) {
			break
		}
	}
	command := exec.CommandContext(ctx, node, "-p", "require.resolve(process.argv[1])", module)
	command.Dir = directory
	output, err := command.Output()
	var failed *exec.ExitError
	switch {
	case err == nil:
		return strings.TrimSuffix(string(output), "\n"), nil
	case errors.As(err, &failed) && strings.Contains(string(failed.Stderr), "MODULE_NOT_FOUND"):
		return "", fmt.Errorf("Node.js finds no %s from %s: the SDK is not installed, or is too old; run there: npm install @pulumi/pulumi", module, directory)
	case errors.As(err, &failed):
		return "", fmt.Errorf("Node.js cannot look for %s from %s: %s", module, directory, strings.TrimSpace(string(failed.Stderr)))
	default:
		return "", fmt.Errorf("cannot run %s in %s: %w", node, directory, err)
	}
}
