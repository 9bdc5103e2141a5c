package main

import (
	"fmt"

	"github.com/google/shlex"

	"github.com/pulumi/pulumi/sdk/v3/nodejs/npm"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Options are those of `runtime:` in Pulumi.yaml or PulumiPolicy.yaml.
type options struct {
	// typescript has the SDK compile TypeScript with ts-node. Default true.
	typescript bool
	// tsconfig is the file for it; empty: the one in the program's folder.
	tsconfig string
	// nodeArguments come before the program.
	nodeArguments []string
	// packageManager installs what the program needs; default auto, found by lock file.
	packageManager npm.PackageManagerType
	// production leaves out devDependencies.
	production bool
}

func readOptions(program *pulumirpc.ProgramInfo) (options, error) {
	read := options{typescript: true, packageManager: npm.AutoPackageManager}
	given := program.GetOptions().AsMap()
	var arguments, manager string
	for _, err := range []error{
		readOption(given, "typescript", "true or false", &read.typescript),
		readOption(given, "tsconfig", "a path", &read.tsconfig),
		readOption(given, "nodeargs", "a string", &arguments),
		readOption(given, "packagemanager", "a string", &manager),
		readOption(given, "production", "true or false", &read.production),
	} {
		if err != nil {
			return read, err
		}
	}
	switch kind := npm.PackageManagerType(manager); kind {
	case "":
	case npm.AutoPackageManager, npm.NpmPackageManager, npm.YarnPackageManager, npm.PnpmPackageManager, npm.BunPackageManager:
		read.packageManager = kind
	default:
		return read, fmt.Errorf("runtime option packagemanager is %q: it has to be auto, npm, yarn, pnpm or bun; change it in Pulumi.yaml", manager)
	}
	var err error
	if read.nodeArguments, err = shlex.Split(arguments); err != nil {
		return read, fmt.Errorf("runtime option nodeargs is %q: its quotes have to be closed (%w); change it in Pulumi.yaml", arguments, err)
	}
	return read, nil
}

func readOption[T any](given map[string]any, name, kind string, into *T) error {
	value, ok := given[name]
	if !ok {
		return nil
	}
	typed, ok := value.(T)
	if !ok {
		return fmt.Errorf("runtime option %s is %v: it has to be %s; change it in Pulumi.yaml", name, value, kind)
	}
	*into = typed
	return nil
}

// environment tells the SDK how to load TypeScript.
func (o options) environment() []string {
	var variables []string
	if o.typescript {
		variables = append(variables, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	if o.tsconfig != "" {
		variables = append(variables, "PULUMI_NODEJS_TSCONFIG_PATH="+o.tsconfig)
	}
	return variables
}
