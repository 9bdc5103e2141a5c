// Package authhelpers stands for Pulumi's package of the same name, which links Google Cloud's storage.
package authhelpers

import (
	"context"

	"gocloud.dev/blob"
)

// GoogleCredentialsMux knows what the build knows of gs://: that it is left out.
func GoogleCredentialsMux(context.Context) (*blob.URLMux, error) {
	return blob.DefaultURLMux(), nil
}
