package provider

import (
	"context"

	pulumischema "github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"bluegreen/local/programs/leftout"
)

// parameterizedPackageMap has no packages: they come from Parameterize.
type parameterizedPackageMap struct{}

func (*parameterizedPackageMap) get(string, string) *pulumischema.PackageSpec {
	return nil
}

// Parameterize refuses to make a package of custom resource definitions.
func (k *kubeProvider) Parameterize(context.Context, *pulumirpc.ParameterizeRequest) (*pulumirpc.ParameterizeResponse, error) {
	return nil, leftout.Error("a package of custom resource definitions", "the generator of schemas")
}
