// Package pluginmain is what the Pulumi plugins of this folder share: how Pulumi
// starts them, and how they end with it.
package pluginmain

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"

	// It defines -v and -logtostderr, which Pulumi hands on to its plugins.
	_ "github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
)

// Arguments are what Pulumi starts a plugin with.
type Arguments struct {
	// Engine is the address of Pulumi's own server, the last argument.
	Engine string
	// Tracing is where traces go; empty where none are wanted.
	Tracing string
}

// Parse reads the command line.
func Parse() Arguments {
	tracing := flag.String("tracing", "", "Zipkin-compatible endpoint of traces")
	flag.Parse()
	return Arguments{Engine: flag.Arg(0), Tracing: *tracing}
}

// Serve serves the plugin, writes its port to stdout, where Pulumi reads it, and
// returns as soon as the plugin has to end: Pulumi interrupts it or is gone.
// Calls that still run are not waited for, because nobody waits for their result.
func Serve(register func(*grpc.Server), options ...grpc.ServerOption) error {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(server *grpc.Server) error {
			register(server)
			return nil
		},
		Options: options,
	})
	if err != nil {
		return fmt.Errorf("cannot serve on a loopback port: %w", err)
	}
	if _, err := fmt.Println(handle.Port); err != nil {
		return fmt.Errorf("cannot tell Pulumi the port: %w", err)
	}
	select {
	case <-interrupted:
		return nil
	case <-CallerGone():
		return nil
	case err := <-handle.Done:
		return err
	}
}

// CallerGone is closed when Pulumi is gone, killed perhaps. Pulumi's own plugins ask
// its server every five minutes; until then a plugin would go on behind the back of
// the next update. Pulumi holds the other end of a plugin's stdin as a pipe, which
// the kernel closes with Pulumi, at once. Whoever starts a plugin by hand, with a
// terminal or /dev/null there, keeps it until it is interrupted.
func CallerGone() <-chan struct{} {
	gone := make(chan struct{})
	if stdin, err := os.Stdin.Stat(); err == nil && stdin.Mode()&os.ModeNamedPipe != 0 {
		go func() {
			// An error is the end of the pipe, too.
			_, _ = io.Copy(io.Discard, os.Stdin)
			close(gone)
		}()
	}
	return gone
}
