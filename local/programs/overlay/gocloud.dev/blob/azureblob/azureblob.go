// Package azureblob stands for the package of the same name, which links the SDK of Azure.
package azureblob

import (
	"context"
	"net/url"

	"bluegreen/local/programs/leftout"
	"gocloud.dev/blob"
)

// Scheme is that of the addresses that are refused.
const Scheme = "azblob"

func init() {
	blob.DefaultURLMux().RegisterBucket(Scheme, &URLOpener{})
}

// ServiceURLOptions has nothing to set.
type ServiceURLOptions struct{}

// NewDefaultServiceURLOptions is there for the CLI, which makes an opener of its own.
func NewDefaultServiceURLOptions() *ServiceURLOptions {
	return &ServiceURLOptions{}
}

// NewDefaultClient makes no client.
func NewDefaultClient() {}

// URLOpener refuses every bucket.
type URLOpener struct {
	MakeClient        func()
	ServiceURLOptions ServiceURLOptions
}

// OpenBucketURL refuses the bucket.
func (*URLOpener) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return nil, leftout.Error("a state backend in "+Scheme+"://", "the SDK of Azure")
}
