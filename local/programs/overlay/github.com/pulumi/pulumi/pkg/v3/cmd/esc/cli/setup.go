package cli

import (
	"github.com/spf13/cobra"

	"bluegreen/local/programs/leftout"
)

// newEnvSetupCmd stands for the command that makes accounts in three clouds, with the SDKs of all three.
func newEnvSetupCmd(*envCommand) *cobra.Command {
	return &cobra.Command{
		Use:                "setup",
		Short:              "Set up cloud provider OIDC integrations (not in this build)",
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return leftout.Error("`env setup`", "the SDKs of AWS, Azure and Google Cloud")
		},
	}
}
