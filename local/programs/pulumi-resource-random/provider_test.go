package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const (
	urn     = "urn:pulumi:test::shop::random:index/randomPassword:RandomPassword::login"
	other   = "urn:pulumi:test::shop::random:index/randomId:RandomId::suffix"
	unknown = plugin.UnknownStringValue
)

type object = map[string]any

// secret is a secret as it crosses the wire.
func secret(value any) object {
	return object{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": value}
}

// server is a provider that Pulumi has configured.
func server(t *testing.T) pulumirpc.ResourceProviderServer {
	t.Helper()
	server := plugin.NewProviderServer(&provider{})
	answer, err := server.Configure(t.Context(), &pulumirpc.ConfigureRequest{AcceptSecrets: true, AcceptResources: true, Args: message(t, object{"version": "4.21.2"})})
	if err != nil {
		t.Fatal(err)
	}
	if !answer.AcceptSecrets || !answer.SupportsPreview {
		t.Fatalf("the provider takes secrets and previews, and says %v", answer)
	}
	return server
}

func message(t *testing.T, value object) *structpb.Struct {
	t.Helper()
	made, err := structpb.NewStruct(value)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func create(t *testing.T, inputs object) object {
	t.Helper()
	answer, err := server(t).Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: message(t, inputs)})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Id != "none" {
		t.Errorf("the id is %q, and may not be the password or differ between passwords", answer.Id)
	}
	return answer.Properties.AsMap()
}

func expectEqual(t *testing.T, what string, got, want object) {
	t.Helper()
	if !proto.Equal(message(t, got), message(t, want)) {
		gotText, _ := json.MarshalIndent(got, "", "  ")
		wantText, _ := json.MarshalIndent(want, "", "  ")
		t.Errorf("%s: got %s\nwant %s", what, gotText, wantText)
	}
}

// plain takes a secret out of a state, which has to have it as one.
func plain(t *testing.T, state object, key string) string {
	t.Helper()
	wrapped, ok := state[key].(object)
	if !ok || wrapped["4dabf18193072939515e22adb298388d"] != "1b47061264138c4ac30d75fd1eb44270" {
		t.Fatalf("%s is no secret", key)
	}
	return wrapped["value"].(string)
}

// stateWith is the state that Pulumi's own provider writes, release 4.21.
func stateWith(more object) object {
	null := secret(object{"replace": object{"raw": nil}})
	state := object{
		"__meta":                   `{"schema_version":"3"}`,
		"__pulumi_raw_state_delta": object{"obj": object{"ps": object{"keepers": null, "overrideSpecial": null}}},
		"id":                       "none", "length": 16, "lower": true, "upper": true, "number": true, "numeric": true, "special": true,
		"minLower": 0, "minUpper": 0, "minNumeric": 0, "minSpecial": 0,
		"result": secret("aaaaaaaaaaaaaaaa"), "bcryptHash": secret("$2a$10$hash"),
	}
	for key, value := range more {
		state[key] = value
		if value == nil {
			delete(state, key)
		}
	}
	return state
}

func TestStateIsThatOfPulumisProvider(t *testing.T) {
	keepersMap := object{"map": object{}}
	null := secret(object{"replace": object{"raw": nil}})
	delta := func(properties object) object { return object{"obj": object{"ps": properties}} }
	for name, each := range map[string]struct{ inputs, differs object }{
		"defaults": {inputs: object{"length": 16}},
		"number sets numeric": {
			inputs:  object{"length": 16, "number": false},
			differs: object{"number": false, "numeric": false},
		},
		"numeric sets number": {
			inputs:  object{"length": 16, "numeric": false},
			differs: object{"number": false, "numeric": false},
		},
		"keepers and overrideSpecial": {
			inputs: object{"length": 16, "keepers": object{"color": "blue"}, "overrideSpecial": "_", "minSpecial": 2},
			differs: object{
				"keepers": object{"color": "blue"}, "overrideSpecial": "_", "minSpecial": 2,
				"__pulumi_raw_state_delta": delta(object{"keepers": keepersMap}),
			},
		},
		"no keepers": {
			inputs:  object{"length": 16, "keepers": object{}},
			differs: object{"keepers": object{}, "__pulumi_raw_state_delta": delta(object{"keepers": keepersMap, "overrideSpecial": null})},
		},
		"a secret keeper": {
			inputs: object{"length": 16, "keepers": object{"of": secret("hunter2")}},
			differs: object{
				"keepers":                  object{"of": secret("hunter2")},
				"__pulumi_raw_state_delta": delta(object{"keepers": keepersMap, "overrideSpecial": null}),
			},
		},
		"a secret length": {
			inputs:  object{"length": secret(16)},
			differs: object{"length": secret(16)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			state := create(t, each.inputs)
			password, hash := plain(t, state, "result"), plain(t, state, "bcryptHash")
			if bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil {
				t.Errorf("bcryptHash is not that of result")
			}
			if cost, err := bcrypt.Cost([]byte(hash)); cost != 10 || err != nil {
				t.Errorf("the hash costs %d rounds (%v), those of Pulumi's provider 10", cost, err)
			}
			want := stateWith(each.differs)
			want["result"], want["bcryptHash"] = secret(password), secret(hash)
			expectEqual(t, "state", state, want)
		})
	}
}

func TestHashOfALongPassword(t *testing.T) {
	state := create(t, object{"length": 100})
	password := plain(t, state, "result")
	if len([]rune(password)) != 100 {
		t.Errorf("100 characters were asked for, and %d made", len([]rune(password)))
	}
	if bcrypt.CompareHashAndPassword([]byte(plain(t, state, "bcryptHash")), []byte(password[:72])) != nil {
		t.Error("bcryptHash is not that of the first 72 bytes")
	}
}

func TestPreviewMakesNothing(t *testing.T) {
	answer, err := server(t).Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Preview: true, Properties: message(t, object{"length": unknown, "numeric": false})})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Id != "" {
		t.Errorf("a preview has no id, and it is %q", answer.Id)
	}
	want := stateWith(object{"__meta": nil, "__pulumi_raw_state_delta": nil})
	want["length"], want["number"], want["numeric"] = unknown, false, false
	want["id"], want["result"], want["bcryptHash"] = unknown, unknown, unknown
	expectEqual(t, "preview", answer.Properties.AsMap(), want)
}

func TestCheckRefuses(t *testing.T) {
	for name, each := range map[string]struct {
		inputs   object
		property string
		says     []string
	}{
		"no length":         {object{}, "length", []string{"length is not set", "set it"}},
		"length 0":          {object{"length": 0}, "length", []string{"length is 0", "1 or more"}},
		"half a character":  {object{"length": 1.5}, "length", []string{"length is 1.5", "whole number"}},
		"a text as length":  {object{"length": "16"}, "length", []string{"length is 16", "whole number"}},
		"too many minimums": {object{"length": 3, "minLower": 1, "minUpper": 1, "minNumeric": 1, "minSpecial": 1}, "length", []string{"length is 3", "4 characters", "set length to 4"}},
		"a minimum below 0": {object{"length": 3, "minUpper": -1}, "minUpper", []string{"minUpper is -1", "0 or more"}},
		"no characters":     {object{"length": 3, "lower": false, "upper": false, "numeric": false, "special": false}, "special", []string{"leaves no characters", "set one of them to true"}},
		"both names":        {object{"length": 3, "number": false, "numeric": true}, "numeric", []string{"numeric is true and number is false", "remove number"}},
		"a number to keep":  {object{"length": 3, "keepers": object{"n": 1}}, "keepers", []string{"map of strings", "put n in quotes"}},
		"no map":            {object{"length": 3, "keepers": "blue"}, "keepers", []string{"keepers is blue", "map of strings"}},
		"no flag":           {object{"length": 3, "upper": "yes"}, "upper", []string{"upper is yes", "true or false"}},
		"no characters set": {object{"length": 3, "overrideSpecial": 7}, "overrideSpecial", []string{"overrideSpecial is 7", "string"}},
		"an unknown name":   {object{"length": 3, "lenght": 4}, "lenght", []string{"lenght is 4", "no such property"}},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := server(t).Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: message(t, each.inputs)})
			if err != nil {
				t.Fatal(err)
			}
			if len(answer.Failures) != 1 || answer.Failures[0].Property != each.property {
				t.Fatalf("one failure of %s is expected, and there is %v", each.property, answer.Failures)
			}
			for _, text := range each.says {
				if !strings.Contains(answer.Failures[0].Reason, text) {
					t.Errorf("%q does not say %q", answer.Failures[0].Reason, text)
				}
			}
		})
	}
}

func TestCheckSaysAllAtOnceAndNoSecret(t *testing.T) {
	answer, err := server(t).Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: message(t, object{
		"length": "x", "upper": 1, "keepers": secret("hunter2"),
	})})
	if err != nil {
		t.Fatal(err)
	}
	var properties []string
	for _, failure := range answer.Failures {
		properties = append(properties, failure.Property)
		if strings.Contains(failure.Reason, "hunter2") {
			t.Errorf("a secret is shown: %s", failure.Reason)
		}
	}
	if !slices.Equal(properties, []string{"keepers", "length", "upper"}) {
		t.Errorf("failures of %v", properties)
	}
}

func TestCheckLetsThrough(t *testing.T) {
	for name, inputs := range map[string]object{
		"the least":       {"length": 1},
		"just enough":     {"length": 4, "minLower": 1, "minUpper": 1, "minNumeric": 1, "minSpecial": 1},
		"what is unknown": {"length": unknown, "minLower": 3, "lower": unknown, "keepers": object{"a": unknown}},
		"keepers unknown": {"length": 3, "keepers": unknown},
		"secrets":         {"length": secret(8), "keepers": secret(object{"a": "b"})},
		"both names":      {"length": 3, "number": false, "numeric": false},
		"what is not set": {"length": 3, "keepers": nil, "overrideSpecial": nil},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := server(t).Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: message(t, inputs)})
			if err != nil || len(answer.Failures) > 0 {
				t.Fatalf("%v, failures %v", err, answer.GetFailures())
			}
			expectEqual(t, "inputs, which stay as they are", answer.Inputs.AsMap(), inputs)
		})
	}
}

func TestDiff(t *testing.T) {
	for name, each := range map[string]struct {
		state, inputs   object
		diffs, replaces []string
	}{
		"nothing changes":            {inputs: object{"length": 16}},
		"a default is written out":   {inputs: object{"length": 16, "upper": true, "minLower": 0, "number": true}},
		"length":                     {inputs: object{"length": 17}, diffs: []string{"length"}, replaces: []string{"length"}},
		"length, unknown yet":        {inputs: object{"length": unknown}, diffs: []string{"length"}, replaces: []string{"length"}},
		"a flag":                     {inputs: object{"length": 16, "special": false}, diffs: []string{"special"}, replaces: []string{"special"}},
		"a flag is no longer set":    {state: object{"special": false}, inputs: object{"length": 16}, diffs: []string{"special"}, replaces: []string{"special"}},
		"a minimum":                  {inputs: object{"length": 16, "minUpper": 2}, diffs: []string{"minUpper"}, replaces: []string{"minUpper"}},
		"numeric, and number by it":  {inputs: object{"length": 16, "numeric": false}, diffs: []string{"number", "numeric"}, replaces: []string{"number", "numeric"}},
		"number, by its new name":    {state: object{"number": false, "numeric": false}, inputs: object{"length": 16, "numeric": false}},
		"keepers are new":            {inputs: object{"length": 16, "keepers": object{"a": "1"}}, diffs: []string{"keepers"}, replaces: []string{"keepers"}},
		"a keeper":                   {state: object{"keepers": object{"a": "1"}}, inputs: object{"length": 16, "keepers": object{"a": "2"}}, diffs: []string{"keepers"}, replaces: []string{"keepers"}},
		"a keeper, unknown yet":      {state: object{"keepers": object{"a": "1"}}, inputs: object{"length": 16, "keepers": object{"a": unknown}}, diffs: []string{"keepers"}, replaces: []string{"keepers"}},
		"keepers are removed":        {state: object{"keepers": object{"a": "1"}}, inputs: object{"length": 16}, diffs: []string{"keepers"}, replaces: []string{"keepers"}},
		"keepers that keep nothing":  {inputs: object{"length": 16, "keepers": object{}}, diffs: []string{"keepers"}},
		"a keeper becomes a secret":  {state: object{"keepers": object{"a": "1"}}, inputs: object{"length": 16, "keepers": object{"a": secret("1")}}},
		"overrideSpecial":            {inputs: object{"length": 16, "overrideSpecial": "_"}, diffs: []string{"overrideSpecial"}, replaces: []string{"overrideSpecial"}},
		"overrideSpecial, emptied":   {state: object{"overrideSpecial": ""}, inputs: object{"length": 16}, diffs: []string{"overrideSpecial"}},
		"overrideSpecial, set empty": {inputs: object{"length": 16, "overrideSpecial": ""}, diffs: []string{"overrideSpecial"}, replaces: []string{"overrideSpecial"}},
		"overrideSpecial, unknown":   {inputs: object{"length": 16, "overrideSpecial": unknown}, diffs: []string{"overrideSpecial"}},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := server(t).Diff(t.Context(), &pulumirpc.DiffRequest{Id: "none", Urn: urn, Olds: message(t, stateWith(each.state)), News: message(t, each.inputs)})
			if err != nil {
				t.Fatal(err)
			}
			if changes := answer.Changes == pulumirpc.DiffResponse_DIFF_SOME; changes != (len(each.diffs) > 0) {
				t.Errorf("changes: %v", answer.Changes)
			}
			if !slices.Equal(answer.Diffs, each.diffs) || !slices.Equal(answer.Replaces, each.replaces) {
				t.Errorf("changes %v and replaces for %v, want %v and %v", answer.Diffs, answer.Replaces, each.diffs, each.replaces)
			}
			if answer.DeleteBeforeReplace {
				t.Error("the old password is still used when the new one is made")
			}
		})
	}
}

func TestImport(t *testing.T) {
	answer, err := server(t).Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn, Id: "correct horse", Properties: message(t, object{})})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Id != "none" {
		t.Errorf("the id is %q", answer.Id)
	}
	state := answer.Properties.AsMap()
	if got := plain(t, state, "result"); got != "correct horse" {
		t.Errorf("the password is %q", got)
	}
	want := stateWith(object{"length": 13})
	want["result"], want["bcryptHash"] = secret("correct horse"), state["bcryptHash"]
	expectEqual(t, "state", state, want)
	expectEqual(t, "inputs", answer.Inputs.AsMap(), object{"length": 13, "lower": true, "number": true, "numeric": true, "special": true, "upper": true})
	// A program that sets its length alone goes on with it.
	diff, err := server(t).Diff(t.Context(), &pulumirpc.DiffRequest{Id: "none", Urn: urn, Olds: answer.Properties, News: message(t, object{"length": 13})})
	if err != nil || diff.Changes != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("%v, %v", err, diff)
	}
}

func TestRefreshChangesNothing(t *testing.T) {
	inputs := object{"length": 16, "keepers": object{"a": secret("b")}}
	state := create(t, inputs)
	answer, err := server(t).Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn, Id: "none", Properties: message(t, state), Inputs: message(t, inputs)})
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, "state", answer.Properties.AsMap(), state)
	expectEqual(t, "inputs", answer.Inputs.AsMap(), inputs)
}

func TestUpdateKeepsThePassword(t *testing.T) {
	// A state that was exported with its secrets shown has them as plain text.
	old := stateWith(object{"overrideSpecial": "", "result": "aaaaaaaaaaaaaaaa"})
	answer, err := server(t).Update(t.Context(), &pulumirpc.UpdateRequest{Urn: urn, Id: "none", Olds: message(t, old), News: message(t, object{"length": 16})})
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, "state", answer.Properties.AsMap(), stateWith(nil))
}

func TestOthersAreRefusedByName(t *testing.T) {
	refusing := server(t)
	inputs := message(t, object{"byteLength": 4})
	for call, err := range map[string]error{
		"Check":  second(refusing.Check(t.Context(), &pulumirpc.CheckRequest{Urn: other, News: inputs})),
		"Diff":   second(refusing.Diff(t.Context(), &pulumirpc.DiffRequest{Urn: other, Id: "x", Olds: inputs, News: inputs})),
		"Create": second(refusing.Create(t.Context(), &pulumirpc.CreateRequest{Urn: other, Properties: inputs})),
		"Read":   second(refusing.Read(t.Context(), &pulumirpc.ReadRequest{Urn: other, Id: "x"})),
		"Update": second(refusing.Update(t.Context(), &pulumirpc.UpdateRequest{Urn: other, Id: "x", Olds: inputs, News: inputs})),
		"Invoke": second(refusing.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "random:index/randomId:RandomId"})),
	} {
		if status.Code(err) != codes.FailedPrecondition {
			t.Errorf("%s: %v", call, err)
			continue
		}
		for _, text := range []string{"random:index/randomId:RandomId", "has RandomPassword alone", "https://www.pulumi.com/docs/install/"} {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s does not say %q: %v", call, text, err)
			}
		}
	}
	if _, err := refusing.Delete(t.Context(), &pulumirpc.DeleteRequest{Urn: other, Id: "x"}); err != nil {
		t.Errorf("what exists in the state alone can be taken out of it: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestOlderStateIsRefused(t *testing.T) {
	for name, meta := range map[string]any{"another version": `{"schema_version":"2"}`, "no version": nil} {
		t.Run(name, func(t *testing.T) {
			old := message(t, stateWith(object{"__meta": meta}))
			refusing := server(t)
			for call, err := range map[string]error{
				"Diff":   second(refusing.Diff(t.Context(), &pulumirpc.DiffRequest{Urn: urn, Id: "none", Olds: old, News: old})),
				"Read":   second(refusing.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn, Id: "none", Properties: old})),
				"Update": second(refusing.Update(t.Context(), &pulumirpc.UpdateRequest{Urn: urn, Id: "none", Olds: old, News: old})),
			} {
				if err == nil || !strings.Contains(err.Error(), "`pulumi up` once with Pulumi's own CLI") {
					t.Errorf("%s: %v", call, err)
				}
			}
		})
	}
}

func TestProviderItself(t *testing.T) {
	asked := server(t)
	info, err := asked.GetPluginInfo(t.Context(), &emptypb.Empty{})
	if err != nil || info.Version != "4.21.2" {
		t.Errorf("version %v, %v", info, err)
	}
	config := message(t, object{"version": "4.21.2"})
	checked, err := asked.CheckConfig(t.Context(), &pulumirpc.CheckRequest{Urn: "urn:pulumi:test::shop::pulumi:providers:random::default", News: config})
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, "settings", checked.Inputs.AsMap(), config.AsMap())
	for version, want := range map[string]pulumirpc.DiffResponse_DiffChanges{"4.21.2": pulumirpc.DiffResponse_DIFF_NONE, "4.22.0": pulumirpc.DiffResponse_DIFF_SOME} {
		diff, err := asked.DiffConfig(t.Context(), &pulumirpc.DiffRequest{Urn: "urn:pulumi:test::shop::pulumi:providers:random::default", OldInputs: config, News: message(t, object{"version": version})})
		if err != nil || diff.Changes != want || len(diff.Replaces) > 0 {
			t.Errorf("version %s: %v, %v", version, diff, err)
		}
	}
	if _, err := asked.Cancel(t.Context(), &emptypb.Empty{}); err != nil {
		t.Error(err)
	}
}

// The schema has the settings that the provider reads, and marks the secrets that it makes.
func TestSchema(t *testing.T) {
	answer, err := server(t).GetSchema(context.Background(), &pulumirpc.GetSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Name, Version string
		Resources     map[string]struct {
			Properties      map[string]struct{ Secret bool }
			InputProperties map[string]any
			RequiredInputs  []string
		}
	}
	if err := json.Unmarshal([]byte(answer.Schema), &schema); err != nil {
		t.Fatal(err)
	}
	if schema.Name != "random" || schema.Version != version.String() || len(schema.Resources) != 1 {
		t.Errorf("%s %s with %d resources", schema.Name, schema.Version, len(schema.Resources))
	}
	of := schema.Resources[string(passwordType)]
	if !slices.Equal(of.RequiredInputs, []string{"length"}) {
		t.Errorf("required are %v", of.RequiredInputs)
	}
	state := create(t, object{"length": 1, "keepers": object{}, "overrideSpecial": "_"})
	for key, value := range state {
		if strings.HasPrefix(key, "__") || key == "id" {
			continue
		}
		property, described := of.Properties[key]
		wrapped, _ := value.(object)
		_, isSecret := wrapped["value"]
		if !described || property.Secret != isSecret {
			t.Errorf("%s: in the schema %t, there a secret %t, here %t", key, described, property.Secret, isSecret)
		}
		if _, input := of.InputProperties[key]; input == isSecret {
			t.Errorf("%s: an input %t, made here %t", key, input, isSecret)
		}
	}
}
