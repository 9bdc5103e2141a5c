// Package resource stands for the provider's package of the same name, which is for its components alone.
package resource

// ResourceProviderFactory makes a component, and there are none.
type ResourceProviderFactory struct{}
