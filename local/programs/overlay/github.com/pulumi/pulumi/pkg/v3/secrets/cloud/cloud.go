// Package cloud stands for Pulumi's package of the same name, which links the key services of three clouds and Vault.
package cloud

import (
	"encoding/json"
	"net/url"

	"bluegreen/local/programs/leftout"
	"github.com/pulumi/pulumi/pkg/v3/secrets"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// Type is how state names a secrets manager of this kind.
const Type = "cloud"

// EditProjectStack is reached with the state of a manager, and there is none.
func EditProjectStack(*workspace.ProjectStack, json.RawMessage) error {
	return refusal("")
}

// NewCloudSecretsManagerFromState refuses the key service that the state names.
func NewCloudSecretsManagerFromState(state json.RawMessage) (secrets.Manager, error) {
	var manager struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(state, &manager); err != nil {
		return nil, err
	}
	return nil, refusal(manager.URL)
}

// NewCloudSecretsManager refuses the key service that the stack's settings or the command name.
func NewCloudSecretsManager(_ *workspace.ProjectStack, secretsProvider string, _ bool) (secrets.Manager, error) {
	return nil, refusal(secretsProvider)
}

// The scheme says which service it is; the rest of the address may name keys and accounts.
func refusal(address string) error {
	asked := "a secrets provider in the cloud"
	if parsed, err := url.Parse(address); err == nil && parsed.Scheme != "" {
		asked = "the secrets provider " + parsed.Scheme + "://"
	}
	return leftout.Error(asked, "the key services of AWS, Azure, Google Cloud and Vault")
}
