import { expect } from "chai";
import { isOfLocalStack } from "../../local/start/localStack";

const home = { stack: "local" };

function isLocal(line: string, env: NodeJS.ProcessEnv = {}): boolean {
  return isOfLocalStack(line === "" ? [] : line.split(" "), env, home);
}

describe("The stack of the dev cluster", () => {
  it("is meant where nothing else is said", () => {
    for (const line of [
      "status",
      "switch --yes",
      "rollback --reason=it-is-slow",
      "status --json",
      "up --yes",
      "config set activeColor green",
      "stack export",
      "stack rm --yes",
    ])
      expect(isLocal(line), line).to.equal(true);
    // As an exported variable without a value is no value to Pulumi.
    expect(isLocal("status", { PULUMI_STACK: "", PULUMI_BACKEND_URL: "" })).to.equal(true);
  });

  it("is meant where it is named", () => {
    for (const line of [
      "status --stack local",
      "up -s local",
      "up --stack=local",
      "-s local up",
      "status --stack production --stack local",
    ])
      expect(isLocal(line), line).to.equal(true);
    expect(isLocal("status", { PULUMI_STACK: "local" })).to.equal(true);
    expect(isLocal("status --stack local", { PULUMI_STACK: "production" })).to.equal(true);
  });

  it("is not meant where another stack is named", () => {
    for (const line of [
      "switch --stack production",
      "switch --stack=production",
      "up -s production",
      "up -sproduction",
      "up -s=production",
      "-s production up",
      "status --stack local --stack production",
      "status --stack team/shop/local",
    ])
      expect(isLocal(line), line).to.equal(false);
    expect(isLocal("status", { PULUMI_STACK: "production" })).to.equal(false);
    expect(isLocal("status --stack production", { PULUMI_STACK: "local" })).to.equal(false);
  });

  it("is not meant where a backend is named, of which it is no stack", () => {
    expect(isLocal("status", { PULUMI_BACKEND_URL: "file:///srv/state" })).to.equal(false);
    expect(isLocal("status --stack local", { PULUMI_BACKEND_URL: "s3://state" })).to.equal(false);
  });

  it("is not meant by commands that use none, or choose one", () => {
    for (const line of [
      "",
      "--help",
      "switch --help",
      "up -h",
      "--version",
      "version",
      "complete -- sw",
      "lint",
      "init",
      "login s3://state",
      "logout",
      "new typescript",
      "stack init production",
      "stack select production",
    ])
      expect(isLocal(line), line).to.equal(false);
  });

  it("is meant whatever is behind the end of the flags", () => {
    expect(isLocal("config set note -- --stack production")).to.equal(true);
  });
});
