package main

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

const (
	keepers         = resource.PropertyKey("keepers")
	length          = resource.PropertyKey("length")
	overrideSpecial = resource.PropertyKey("overrideSpecial")
	// number is the old name of numeric; each has the other's value.
	number  = resource.PropertyKey("number")
	numeric = resource.PropertyKey("numeric")
)

// The kinds of characters, and how many of each there are at least. Default: all kinds,
// none of each.
var (
	flags    = []resource.PropertyKey{"lower", "upper", "special"}
	minimums = []resource.PropertyKey{"minLower", "minUpper", "minNumeric", "minSpecial"}
)

// settingsOf gives the settings among inputs or a state, with the defaults of those that
// are missing. Secrets and unknowns stay what they are.
func settingsOf(given resource.PropertyMap) resource.PropertyMap {
	settings := resource.PropertyMap{}
	for _, key := range []resource.PropertyKey{keepers, length, overrideSpecial} {
		if given.HasValue(key) {
			settings[key] = given[key]
		}
	}
	for _, key := range flags {
		settings[key] = valueOr(given, key, resource.NewProperty(true))
	}
	for _, key := range minimums {
		settings[key] = valueOr(given, key, resource.NewProperty(0.0))
	}
	settings[number] = valueOr(given, number, valueOr(given, numeric, resource.NewProperty(true)))
	settings[numeric] = valueOr(given, numeric, settings[number])
	return settings
}

func valueOr(given resource.PropertyMap, key resource.PropertyKey, otherwise resource.PropertyValue) resource.PropertyValue {
	if given.HasValue(key) {
		return given[key]
	}
	return otherwise
}

// changes lists what differs between the settings of a state and new ones, and what of it
// asks for a new password, by the rules of Terraform's provider: all of it, with few
// exceptions.
func changes(old, new resource.PropertyMap) (changed, replaced []resource.PropertyKey) {
	all := maps.Clone(old)
	maps.Copy(all, new)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		before, after := reveal(old[key]), reveal(new[key])
		if before.DeepEquals(after) {
			continue
		}
		changed = append(changed, key)
		if !keepsPassword(key, before, after) {
			replaced = append(replaced, key)
		}
	}
	return changed, replaced
}

// keepsPassword names the exceptions: an overrideSpecial that is not known yet, or that was
// empty and is removed, and keepers that keep nothing before and afterwards.
func keepsPassword(key resource.PropertyKey, before, after resource.PropertyValue) bool {
	switch key {
	case overrideSpecial:
		return after.IsComputed() || after.IsNull() && before.IsString() && before.StringValue() == ""
	case keepers:
		return keepsNothing(before) && keepsNothing(after)
	default:
		return false
	}
}

func keepsNothing(keepers resource.PropertyValue) bool {
	if !keepers.IsObject() {
		return keepers.IsNull()
	}
	for _, each := range keepers.ObjectValue() {
		if !each.IsNull() {
			return false
		}
	}
	return true
}

// reveal is the value without the marks of secrets: marking a value changes no password.
func reveal(value resource.PropertyValue) resource.PropertyValue {
	switch {
	case value.IsSecret():
		return reveal(value.SecretValue().Element)
	case value.IsObject():
		revealed := resource.PropertyMap{}
		for key, each := range value.ObjectValue() {
			revealed[key] = reveal(each)
		}
		return resource.NewProperty(revealed)
	default:
		return value
	}
}

// failuresOf lists every setting that breaks a rule. What is unknown yet is checked when it
// is known.
func failuresOf(inputs resource.PropertyMap) []plugin.CheckFailure {
	failures := wrongKinds(inputs)
	if len(failures) > 0 || resource.NewProperty(inputs).ContainsUnknowns() {
		return failures
	}
	refuse := func(key resource.PropertyKey, format string, arguments ...any) {
		failures = append(failures, plugin.CheckFailure{Property: key, Reason: fmt.Sprintf(format, arguments...)})
	}
	settings := reveal(resource.NewProperty(settingsOf(inputs))).ObjectValue()
	if settings[number].BoolValue() != settings[numeric].BoolValue() {
		refuse(numeric, "numeric is %t and number is %t: number is the old name of numeric; remove number", settings[numeric].BoolValue(), settings[number].BoolValue())
	}
	asked := alphabetOf(inputs)
	if asked.length < 1 {
		refuse(length, "length is %d: it has to be 1 or more", asked.length)
	} else if least := asked.least(); least > asked.length {
		refuse(length, "length is %d, and minLower, minUpper, minNumeric and minSpecial ask for %d characters: set length to %d or more, or ask for fewer", asked.length, least, least)
	}
	if len(asked.all()) == 0 {
		refuse("special", "lower, upper, numeric and special are false, which leaves no characters: set one of them to true")
	}
	return failures
}

// wrongKinds lists what is missing, unknown by name, or not of the kind that it has to be.
func wrongKinds(inputs resource.PropertyMap) []plugin.CheckFailure {
	var failures []plugin.CheckFailure
	refuse := func(key resource.PropertyKey, value resource.PropertyValue, rule string) {
		shown := fmt.Sprint(reveal(value).V)
		if value.ContainsSecrets() {
			shown = "a secret"
		}
		failures = append(failures, plugin.CheckFailure{Property: key, Reason: fmt.Sprintf("%s is %s: %s", key, shown, rule)})
	}
	if !inputs.HasValue(length) {
		failures = append(failures, plugin.CheckFailure{Property: length, Reason: "length is not set: set it to the number of characters"})
	}
	for _, key := range slices.Sorted(maps.Keys(inputs)) {
		value := reveal(inputs[key])
		if value.IsNull() || value.IsComputed() {
			continue
		}
		switch {
		case key == keepers:
			if !value.IsObject() {
				refuse(key, inputs[key], "it has to be a map of strings")
				continue
			}
			for name, each := range value.ObjectValue() {
				if !each.IsString() && !each.IsNull() && !each.IsComputed() {
					refuse(key, inputs[key], "it has to be a map of strings; put "+string(name)+" in quotes")
				}
			}
		case key == overrideSpecial:
			if !value.IsString() {
				refuse(key, inputs[key], "it has to be a string")
			}
		case key == length, slices.Contains(minimums, key):
			if !value.IsNumber() || value.NumberValue() != math.Trunc(value.NumberValue()) {
				refuse(key, inputs[key], "it has to be a whole number")
			} else if key != length && value.NumberValue() < 0 {
				refuse(key, inputs[key], "it has to be 0 or more")
			}
		case key == number, key == numeric, slices.Contains(flags, key):
			if !value.IsBool() {
				refuse(key, inputs[key], "it has to be true or false")
			}
		default:
			refuse(key, inputs[key], "RandomPassword has no such property; remove it")
		}
	}
	return failures
}
