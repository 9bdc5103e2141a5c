// Package ext holds what a distribution of Traefik adds to its configuration:
// here nothing. Traefik has it as a module inside its own, and those are left
// out of what the module proxy gives.
package ext

// HTTP is added to the HTTP configuration.
type HTTP struct{}

// Router is added to every router.
type Router struct{}

// RouterIng is added to what Ingress annotations say of a router.
type RouterIng struct{}

// ToRouter is what the annotations add to the router.
func (RouterIng) ToRouter() Router { return Router{} }
