package provider

import (
	"context"

	"bluegreen/local/programs/leftout"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/clients"
)

func kustomizeDirectory(_ context.Context, directory string, _ *clients.DynamicClientSet) ([]any, error) {
	return nil, leftout.Error("the Kustomize directory "+directory, "Kustomize")
}
