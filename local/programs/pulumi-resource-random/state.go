package main

import (
	"golang.org/x/crypto/bcrypt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	// Every password has it: an id is not a secret.
	idOfAll = "none"
	// Pulumi's own provider is one of Terraform's, bridged. It writes the version of
	// Terraform's form of the state, and how that form differs from Pulumi's.
	metaKey  = "__meta"
	meta     = `{"schema_version":"3"}`
	deltaKey = "__pulumi_raw_state_delta"
	// bcrypt reads no more of a password.
	bcryptBytes = 72
)

// newState is the state of a new password.
func newState(inputs resource.PropertyMap, password string) (resource.PropertyMap, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password)[:min(len(password), bcryptBytes)], bcrypt.DefaultCost)
	if err != nil {
		return nil, err
	}
	return stateOf(inputs, resource.MakeSecret(resource.NewProperty(password)), resource.MakeSecret(resource.NewProperty(string(hash)))), nil
}

// planned is what a preview knows of a new password.
func planned(inputs resource.PropertyMap) resource.PropertyMap {
	state := settingsOf(inputs)
	unknown := resource.MakeComputed(resource.NewProperty(""))
	state["id"], state["result"], state["bcryptHash"] = unknown, unknown, unknown
	return state
}

// updated keeps the password of a state.
func updated(state, inputs resource.PropertyMap) resource.PropertyMap {
	return stateOf(inputs, asSecret(state["result"]), asSecret(state["bcryptHash"]))
}

func asSecret(value resource.PropertyValue) resource.PropertyValue {
	if value.IsSecret() {
		return value
	}
	return resource.MakeSecret(value)
}

func stateOf(inputs resource.PropertyMap, result, hash resource.PropertyValue) resource.PropertyMap {
	state := settingsOf(inputs)
	state["id"] = resource.NewProperty(idOfAll)
	state["result"], state["bcryptHash"] = result, hash
	state[metaKey] = resource.NewProperty(meta)
	state[deltaKey] = deltaOf(state)
	return state
}

// deltaOf says which of Terraform's properties cannot be read off Pulumi's: one that is
// null there is missing here, and a map looks like an object.
func deltaOf(state resource.PropertyMap) resource.PropertyValue {
	object := func(key resource.PropertyKey, value resource.PropertyValue) resource.PropertyValue {
		return resource.NewProperty(resource.PropertyMap{key: value})
	}
	null := resource.MakeSecret(object("replace", object("raw", resource.NewNullProperty())))
	properties := resource.PropertyMap{"keepers": null}
	if state.HasValue("keepers") {
		properties["keepers"] = object("map", resource.NewProperty(resource.PropertyMap{}))
	}
	if !state.HasValue("overrideSpecial") {
		properties["overrideSpecial"] = null
	}
	return object("obj", object("ps", resource.NewProperty(properties)))
}

// importedInputs are those of a program that imports a password and sets nothing else.
func importedInputs(password string) resource.PropertyMap {
	inputs := resource.PropertyMap{"length": resource.NewProperty(float64(len(password)))}
	for _, class := range []resource.PropertyKey{"lower", "number", "numeric", "special", "upper"} {
		inputs[class] = resource.NewProperty(true)
	}
	return inputs
}
