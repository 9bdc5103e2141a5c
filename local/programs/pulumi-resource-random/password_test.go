package main

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Settings that Check lets through, drawn at random; each is drawn again from the seed that
// a failure names.
func drawnSettings(random *rand.Rand) resource.PropertyMap {
	for {
		inputs := resource.PropertyMap{length: resource.NewProperty(float64(random.IntN(40)))}
		for _, key := range []resource.PropertyKey{"lower", "upper", "numeric", "special"} {
			if random.IntN(2) == 0 {
				inputs[key] = resource.NewProperty(random.IntN(2) == 0)
			}
		}
		for _, key := range minimums {
			if random.IntN(2) == 0 {
				inputs[key] = resource.NewProperty(float64(random.IntN(6)))
			}
		}
		if random.IntN(2) == 0 {
			inputs[overrideSpecial] = resource.NewProperty([]string{"", "_", "€ß-"}[random.IntN(3)])
		}
		if len(failuresOf(inputs)) == 0 {
			return inputs
		}
	}
}

func TestPasswordsAreAsAskedFor(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 5000 {
		inputs := drawnSettings(random)
		password, err := generate(alphabetOf(inputs))
		if err != nil {
			t.Fatal(err)
		}
		settings := settingsOf(inputs)
		if got := len([]rune(password)); got != int(settings[length].NumberValue()) {
			t.Errorf("seed %d, %v: %d characters", seed, inputs, got)
		}
		special := "!@#$%&*()-_=+[]{}<>:?"
		if given := settings[overrideSpecial]; given.IsString() && given.StringValue() != "" {
			special = given.StringValue()
		}
		rest := password
		for _, kind := range []struct {
			on, minimum resource.PropertyKey
			characters  string
		}{
			{"lower", "minLower", "abcdefghijklmnopqrstuvwxyz"},
			{"upper", "minUpper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
			{"numeric", "minNumeric", "0123456789"},
			{"special", "minSpecial", special},
		} {
			count := 0
			rest = strings.Map(func(character rune) rune {
				if !strings.ContainsRune(kind.characters, character) {
					return character
				}
				count++
				return -1
			}, rest)
			minimum := int(settings[kind.minimum].NumberValue())
			if count < minimum || count > minimum && !settings[kind.on].BoolValue() {
				t.Errorf("seed %d, %v: %d characters of %s", seed, inputs, count, kind.on)
			}
		}
		if rest != "" {
			t.Errorf("seed %d, %v: characters that nobody asked for: %q", seed, inputs, rest)
		}
	}
}

// Counts lie within six standard deviations of what is expected, outside of which one run
// in half a billion gets.
func expectCount(t *testing.T, what string, count, draws int, share float64) {
	t.Helper()
	expected := float64(draws) * share
	deviation := float64(count) - expected
	if deviation*deviation > 36*expected*(1-share) {
		t.Errorf("%s: %d of %d draws, expected about %.0f", what, count, draws, expected)
	}
}

func TestNoCharacterIsLikelierThanAnother(t *testing.T) {
	const draws = 200_000
	// 83 characters divide no power of two: a remainder would favor the first.
	asked := alphabetOf(resource.PropertyMap{length: resource.NewProperty(float64(draws))})
	all := asked.all()
	password, err := generate(asked)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[rune]int{}
	for _, character := range password {
		counts[character]++
	}
	for _, character := range all {
		expectCount(t, string(character), counts[character], draws, 1/float64(len(all)))
	}
}

// Minimums are drawn first, and would be seen at the beginning of every password.
func TestMinimumsHaveNoPlace(t *testing.T) {
	const draws = 20_000
	asked := alphabetOf(resource.PropertyMap{
		length: resource.NewProperty(4.0), "minLower": resource.NewProperty(1.0),
		"lower": resource.NewProperty(false), "upper": resource.NewProperty(false), "special": resource.NewProperty(false),
	})
	places := map[int]int{}
	for range draws {
		password, err := generate(asked)
		if err != nil {
			t.Fatal(err)
		}
		places[strings.IndexAny(password, lowerCharacters)]++
	}
	for place := range 4 {
		expectCount(t, "place of the letter", places[place], draws, 0.25)
	}
}
