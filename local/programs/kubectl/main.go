// Command kubectl is Kubernetes' own command line, of the version that the stage runs.
package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	// As in k8s.io/kubernetes/cmd/kubectl: an error decides the exit code, and is told as kubectl tells it.
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
