// Package leftout is what the programs say where something is asked for that they are built without.
package leftout

import "fmt"

// Error refuses what was asked for, for want of a part that this build is without.
func Error(asked, part string) error {
	return fmt.Errorf("%s is refused: this Pulumi is built without %s, which would take minutes to compile. "+
		"Install Pulumi's own, https://www.pulumi.com/docs/install/: where its `pulumi` is on PATH, it is used instead and fetches whole plugins", asked, part)
}
