package main

import (
	"context"
	_ "embed"

	"github.com/blang/semver"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

const (
	passwordType tokens.Type = "random:index/randomPassword:RandomPassword"
	installation             = "https://www.pulumi.com/docs/install/"
	onlyPassword             = "this build has RandomPassword alone; install Pulumi's own CLI and its random plugin: " + installation
)

// The version of @pulumi/random whose RandomPassword this is.
var version = semver.MustParse("4.21.2")

//go:embed schema.json
var schema []byte

// A provider makes passwords. They exist in the stack's state alone, so there is nothing
// to look up, and nothing to delete.
type provider struct {
	plugin.UnimplementedProvider
}

func (*provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	return plugin.PluginInfo{Version: &version}, nil
}

func (*provider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	return plugin.GetSchemaResponse{Schema: schema}, nil
}

// CheckConfig takes all: the provider has no settings.
func (*provider) CheckConfig(_ context.Context, request plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: request.News}, nil
}

// DiffConfig never asks to replace the provider, and its passwords with it.
func (*provider) DiffConfig(_ context.Context, request plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	if request.OldInputs.DeepEquals(request.NewInputs) {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	return plugin.DiffResult{Changes: plugin.DiffSome}, nil
}

func (*provider) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

// SignalCancellation has nothing to end: no call waits for anything.
func (*provider) SignalCancellation(context.Context) error {
	return nil
}

func (*provider) Check(_ context.Context, request plugin.CheckRequest) (plugin.CheckResponse, error) {
	if err := refuseOthers(request.URN); err != nil {
		return plugin.CheckResponse{}, err
	}
	return plugin.CheckResponse{Properties: request.News, Failures: failuresOf(request.News)}, nil
}

func (*provider) Diff(_ context.Context, request plugin.DiffRequest) (plugin.DiffResponse, error) {
	if err := refuseState(request.URN, request.OldOutputs); err != nil {
		return plugin.DiffResult{}, err
	}
	changed, replaced := changes(settingsOf(request.OldOutputs), settingsOf(request.NewInputs))
	if len(changed) == 0 {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	return plugin.DiffResult{Changes: plugin.DiffSome, ChangedKeys: changed, ReplaceKeys: replaced}, nil
}

func (*provider) Create(_ context.Context, request plugin.CreateRequest) (plugin.CreateResponse, error) {
	if err := refuseOthers(request.URN); err != nil {
		return plugin.CreateResponse{}, err
	}
	if request.Preview {
		return plugin.CreateResponse{Properties: planned(request.Properties)}, nil
	}
	password, err := generate(alphabetOf(request.Properties))
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	state, err := newState(request.Properties, password)
	return plugin.CreateResponse{ID: idOfAll, Properties: state}, err
}

// Read takes the id for the password when there is no state, which is how a password is
// imported. A state is what it was: nobody can have changed a password in between.
func (*provider) Read(_ context.Context, request plugin.ReadRequest) (plugin.ReadResponse, error) {
	if err := refuseOthers(request.URN); err != nil {
		return plugin.ReadResponse{}, err
	}
	if len(request.State) > 0 {
		if err := refuseState(request.URN, request.State); err != nil {
			return plugin.ReadResponse{}, err
		}
		return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: idOfAll, Inputs: request.Inputs, Outputs: updated(request.State, request.State)}}, nil
	}
	inputs := importedInputs(string(request.ID))
	state, err := newState(inputs, string(request.ID))
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: idOfAll, Inputs: inputs, Outputs: state}}, err
}

// Update is for the few changes that keep the password (see changes).
func (*provider) Update(_ context.Context, request plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	if err := refuseState(request.URN, request.OldOutputs); err != nil {
		return plugin.UpdateResponse{}, err
	}
	return plugin.UpdateResponse{Properties: updated(request.OldOutputs, request.NewInputs)}, nil
}

// Delete takes every resource of the package, whoever made it: all are in the state alone.
func (*provider) Delete(context.Context, plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{}, nil
}

func (*provider) Invoke(_ context.Context, request plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	return plugin.InvokeResponse{}, status.Errorf(codes.FailedPrecondition, "function %s: %s", request.Tok, onlyPassword)
}

func refuseOthers(urn resource.URN) error {
	if urn.Type() == passwordType {
		return nil
	}
	return status.Errorf(codes.FailedPrecondition, "resource %q of type %s: %s", urn.Name(), urn.Type(), onlyPassword)
}

// refuseState refuses what older providers wrote, in other forms.
func refuseState(urn resource.URN, state resource.PropertyMap) error {
	if err := refuseOthers(urn); err != nil {
		return err
	}
	if written := state[metaKey]; !written.IsString() || written.StringValue() != meta {
		return status.Errorf(codes.FailedPrecondition, "the state of RandomPassword %q has %s %v, and this build reads %s; run `pulumi up` once with Pulumi's own CLI and its random plugin: %s", urn.Name(), metaKey, written.V, meta, installation)
	}
	return nil
}
