package main

import (
	"context"
	"io"
	"runtime/debug"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"bluegreen/local/programs/pluginmain"
)

const (
	sdkModule = "github.com/pulumi/pulumi/sdk/v3"
	getPulumi = "install Pulumi's own CLI: https://www.pulumi.com/docs/install/"
)

// A host answers for Node.js. Methods that it has not are those of the embedded
// server, refused by name (see refusals).
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	// stdout and stderr get what programs write; Pulumi shows it.
	stdout, stderr io.Writer
	tracing        string
	processes      processes

	// programs ends when Pulumi cancels.
	programs context.Context
	cancel   context.CancelFunc

	mutex  sync.Mutex
	engine string
}

func newHost(arguments pluginmain.Arguments, stdout, stderr io.Writer) *host {
	programs, cancel := context.WithCancel(context.Background())
	return &host{stdout: stdout, stderr: stderr, tracing: arguments.Tracing, programs: programs, cancel: cancel, engine: arguments.Engine}
}

// Handshake is how Pulumi names itself to a host that it has not started.
func (h *host) Handshake(_ context.Context, request *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.engine = request.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) engineAddress() (string, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.engine == "" {
		return "", status.Error(codes.FailedPrecondition, "the address of Pulumi is not known: call Handshake, or give the address as the last argument")
	}
	return h.engine, nil
}

// GetPluginInfo gives the version of the SDK that the host is made with.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	info := &pulumirpc.PluginInfo{}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == sdkModule {
				info.Version = module.Version
			}
		}
	}
	return info, nil
}

// GetRequiredPackages names nothing: each resource names its plugin's version itself
// when the program registers it, and a list would have Pulumi download plugins that
// are installed in another version.
func (h *host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// Cancel interrupts the programs; called again, it ends them at once. Policy packs and
// providers go on: the steps that run are finished with them, and Pulumi ends each by
// its own call.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	if h.programs.Err() != nil {
		h.processes.kill()
	}
	h.cancel()
	return &emptypb.Empty{}, nil
}

// refusals name the method that the host has not, and what to do.
func refusals() []grpc.ServerOption {
	refuse := func(err error, method string) error {
		if status.Code(err) != codes.Unimplemented {
			return err
		}
		return status.Errorf(codes.Unimplemented, "%s: %s. This language host runs programs and policy packs; for more, %s", method, status.Convert(err).Message(), getPulumi)
	}
	return []grpc.ServerOption{
		grpc.UnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			response, err := handle(ctx, request)
			return response, refuse(err, info.FullMethod)
		}),
		grpc.StreamInterceptor(func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			return refuse(handle(server, stream), info.FullMethod)
		}),
	}
}
