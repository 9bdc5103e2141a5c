package provider

import (
	"context"

	pbempty "github.com/golang/protobuf/ptypes/empty"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/clients"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/host"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"bluegreen/local/programs/leftout"
)

const helmReleaseType = "kubernetes:helm.sh/v3:Release"

func isHelmRelease(urn resource.URN) bool {
	return urn.Type() == helmReleaseType
}

// withoutHelm refuses everything that is asked about a Helm release.
type withoutHelm struct{}

func newHelmReleaseProvider(
	host.HostClient, *cancellationContext, *api.Config, *clientcmd.ConfigOverrides, *rest.Config, *clients.DynamicClientSet,
	string, string, bool, string, string, string, string, bool, string,
) (customResourceProvider, error) {
	return withoutHelm{}, nil
}

func helmRefusal(asked string) error {
	return leftout.Error(asked, "Helm")
}

func (withoutHelm) Check(context.Context, *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return nil, helmRefusal(helmReleaseType)
}

func (withoutHelm) Diff(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return nil, helmRefusal(helmReleaseType)
}

func (withoutHelm) Create(context.Context, *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	return nil, helmRefusal(helmReleaseType)
}

func (withoutHelm) Read(context.Context, *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	return nil, helmRefusal(helmReleaseType)
}

func (withoutHelm) Update(context.Context, *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	return nil, helmRefusal(helmReleaseType)
}

func (withoutHelm) Delete(context.Context, *pulumirpc.DeleteRequest) (*pbempty.Empty, error) {
	return nil, helmRefusal(helmReleaseType)
}
