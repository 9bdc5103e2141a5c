// Package provider stands for Pulumi's package of the same name, without what is for components alone:
// that takes all of the SDK for Go to compile.
package provider

import (
	sdkprovider "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// HostClient is the SDK's.
type HostClient = sdkprovider.HostClient

// NewHostClient is the SDK's.
func NewHostClient(address string) (*HostClient, error) {
	return sdkprovider.NewHostClient(address)
}

// Main is the SDK's.
func Main(name string, make func(*HostClient) (pulumirpc.ResourceProviderServer, error)) error {
	return sdkprovider.Main(name, make)
}
