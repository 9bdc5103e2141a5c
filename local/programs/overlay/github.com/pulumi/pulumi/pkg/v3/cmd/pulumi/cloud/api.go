package cloud

import (
	"github.com/spf13/cobra"

	"bluegreen/local/programs/leftout"
)

// ParamSpec is a parameter of an endpoint, and none is ever read.
type ParamSpec struct{}

// NewAPICmd stands for the command that calls any endpoint of Pulumi Cloud, and reads all of its OpenAPI document for that.
func NewAPICmd() *cobra.Command {
	return &cobra.Command{
		Use:                "api",
		Short:              "Call any Pulumi Cloud API endpoint (not in this build)",
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return leftout.Error("`pulumi api`", "a reader of OpenAPI documents")
		},
	}
}
