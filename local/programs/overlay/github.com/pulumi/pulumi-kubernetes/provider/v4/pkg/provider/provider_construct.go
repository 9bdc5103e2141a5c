package provider

import (
	"context"

	"bluegreen/local/programs/leftout"
	providerresource "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// resourceProviders makes no components: they need the generated SDK for Go, the slowest to compile of all.
var resourceProviders map[string]providerresource.ResourceProviderFactory

// Construct refuses the component by its name.
func (k *kubeProvider) Construct(_ context.Context, req *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	return nil, leftout.Error(req.GetType(), "components of Helm, Kustomize and YAML")
}
