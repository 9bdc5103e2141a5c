package provider

import (
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/clients"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/host"
)

// HelmChartOpts is what is read of the options before they are refused.
type HelmChartOpts struct {
	Chart     string `json:"chart,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

func helmTemplate(_ host.HostClient, opts HelmChartOpts, _ *clients.DynamicClientSet) (string, error) {
	return "", helmRefusal("the Helm chart " + opts.Chart)
}
