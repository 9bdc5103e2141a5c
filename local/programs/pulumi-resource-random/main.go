// Command pulumi-resource-random is a provider for the RandomPassword of the npm package
// @pulumi/random. It stands in for Pulumi's own provider of that name, whose module is not
// to be had: one takes over the other's state. Other resources of the package are refused.
package main

import (
	"fmt"
	"os"

	"google.golang.org/grpc"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"bluegreen/local/programs/pluginmain"
)

func main() {
	pluginmain.Parse()
	err := pluginmain.Serve(func(server *grpc.Server) {
		pulumirpc.RegisterResourceProviderServer(server, plugin.NewProviderServer(&provider{}))
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-random:", err)
		os.Exit(1)
	}
}
