// Package fieldpath stands for version 4 of the package, which the provider names, by version 6, which
// the Kubernetes modules of this build speak.
package fieldpath

import "sigs.k8s.io/structured-merge-diff/v6/fieldpath"

// Path and Set are those of version 6.
type (
	Path = fieldpath.Path
	Set  = fieldpath.Set
)

// MakePath is that of version 6. The go.mod of this module asks for a Go without `any`.
func MakePath(parts ...interface{}) (Path, error) {
	return fieldpath.MakePath(parts...)
}
