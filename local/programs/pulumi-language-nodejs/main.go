// Command pulumi-language-nodejs runs Pulumi programs and policy packs in Node.js.
// It stands in for the program of that name in Pulumi's own installation, whose
// module is not to be had, and does what running programs needs: generating code
// and SDKs (`pulumi convert`, `pulumi package add`) is left to Pulumi's own.
package main

import (
	"fmt"
	"os"

	"google.golang.org/grpc"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"bluegreen/local/programs/pluginmain"
)

func main() {
	host := newHost(pluginmain.Parse(), os.Stdout, os.Stderr)
	err := pluginmain.Serve(func(server *grpc.Server) {
		pulumirpc.RegisterLanguageRuntimeServer(server, host)
	}, refusals()...)
	host.processes.kill()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-nodejs:", err)
		os.Exit(1)
	}
}
