package main

import (
	"crypto/rand"
	"math/big"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	lowerCharacters   = "abcdefghijklmnopqrstuvwxyz"
	upperCharacters   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numericCharacters = "0123456789"
	specialCharacters = "!@#$%&*()-_=+[]{}<>:?"
)

// An alphabet is what a password is made of.
type alphabet struct {
	length int
	kinds  []kind
}

// A kind of characters: at least minimum of them, and more if it is on.
type kind struct {
	characters []rune
	on         bool
	minimum    int
}

// alphabetOf reads checked inputs, in which nothing is unknown.
func alphabetOf(inputs resource.PropertyMap) alphabet {
	settings := reveal(resource.NewProperty(settingsOf(inputs))).ObjectValue()
	special := specialCharacters
	if given := settings[overrideSpecial]; given.IsString() && given.StringValue() != "" {
		special = given.StringValue()
	}
	of := func(characters string, on, minimum resource.PropertyKey) kind {
		return kind{characters: []rune(characters), on: settings[on].BoolValue(), minimum: int(settings[minimum].NumberValue())}
	}
	return alphabet{
		length: int(settings[length].NumberValue()),
		kinds: []kind{
			of(lowerCharacters, "lower", "minLower"),
			of(upperCharacters, "upper", "minUpper"),
			of(numericCharacters, numeric, "minNumeric"),
			of(special, "special", "minSpecial"),
		},
	}
}

// all are the characters that any place may have.
func (a alphabet) all() []rune {
	var all []rune
	for _, each := range a.kinds {
		if each.on {
			all = append(all, each.characters...)
		}
	}
	return all
}

// least is the sum of the minimums.
func (a alphabet) least() int {
	sum := 0
	for _, each := range a.kinds {
		sum += each.minimum
	}
	return sum
}

// generate makes a password: the minimum of each kind, the rest of all, in random order.
func generate(asked alphabet) (string, error) {
	password := make([]rune, 0, asked.length)
	draw := func(characters []rune, count int) error {
		for range count {
			index, err := below(len(characters))
			if err != nil {
				return err
			}
			password = append(password, characters[index])
		}
		return nil
	}
	for _, each := range asked.kinds {
		if err := draw(each.characters, each.minimum); err != nil {
			return "", err
		}
	}
	if err := draw(asked.all(), asked.length-len(password)); err != nil {
		return "", err
	}
	for last := len(password) - 1; last > 0; last-- {
		other, err := below(last + 1)
		if err != nil {
			return "", err
		}
		password[last], password[other] = password[other], password[last]
	}
	return string(password), nil
}

// below draws a number below the limit, each as likely as another.
func below(limit int) (int, error) {
	index, err := rand.Int(rand.Reader, big.NewInt(int64(limit)))
	if err != nil {
		return 0, err
	}
	return int(index.Int64()), nil
}
