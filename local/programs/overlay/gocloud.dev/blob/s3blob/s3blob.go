// Package s3blob stands for the package of the same name, which links the SDK of AWS.
package s3blob

import (
	"context"
	"net/url"

	"bluegreen/local/programs/leftout"
	"gocloud.dev/blob"
)

// Scheme is that of the addresses that are refused.
const Scheme = "s3"

func init() {
	blob.DefaultURLMux().RegisterBucket(Scheme, &URLOpener{})
}

// URLOpener refuses every bucket.
type URLOpener struct{}

// OpenBucketURL refuses the bucket.
func (*URLOpener) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return nil, leftout.Error("a state backend in "+Scheme+"://", "the SDK of AWS")
}
