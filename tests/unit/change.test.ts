import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { applyChange } from "../../cli/change";
import { reverted, withSettings } from "../../cli/stackConfig";
import { repositoryDir } from "../../local/paths";
import { startApiServer, type ApiServer } from "../support/apiServer";
import { failsWith } from "../support/failsWith";

const before = `# of this stack
config:
  chatgpt-app:activeColor: blue
  chatgpt-app:blueTag: v1
  chatgpt-app:greenTag: v2
  chatgpt-app:imageRepository: ghcr.io/you/chatgpt-app
  chatgpt-app:host: app.example.com
  chatgpt-app:secretEnv:
    secure: v1:abc
  chatgpt-app:database: { strategy: none }
`;

/**
 * In the place of Pulumi: it notes what it is asked, and what the stack's file and the file of the plan hold
 * at that moment.
 */
const pulumi = `#!/bin/sh
echo "$*" >> "$FOLDER/asked"
case "$1" in
  version) echo v3.276.0 ;;
  config) sed -i 's/activeColor: blue/activeColor: green/' "$FILE" ;;
  preview)
    cp "$FILE" "$FOLDER/seen"
    while [ $# -gt 0 ]; do [ "$1" = --config-file ] && cp "$2" "$FOLDER/planned"; shift; done
    [ "$MEANWHILE" = preview ] && echo '  chatgpt-app:replicas: "5"' >> "$FILE" ;;
  up)
    [ "$MEANWHILE" = up ] && echo '  chatgpt-app:replicas: "5"' >> "$FILE"
    echo "another update is running" >&2
    exit 1 ;;
esac
exit 0
`;

describe("A change of config that somebody has to agree to", function () {
  const stack = `test-change-${process.pid}`;
  const file = join(repositoryDir, `Pulumi.${stack}.yaml`);
  const given = { PATH: process.env["PATH"], KUBECONFIG: process.env["KUBECONFIG"] };
  let api: ApiServer;
  let folder: string;

  beforeEach(async () => {
    api = await startApiServer();
    folder = mkdtempSync(join(tmpdir(), "bg-change-"));
    writeFileSync(join(folder, "pulumi"), pulumi);
    chmodSync(join(folder, "pulumi"), 0o755);
    writeFileSync(file, before);
    Object.assign(process.env, {
      PATH: `${folder}:${given.PATH ?? ""}`,
      KUBECONFIG: api.kubeconfig,
      FOLDER: folder,
      FILE: file,
    });
  });
  afterEach(async () => {
    process.env["PATH"] = given.PATH;
    if (given.KUBECONFIG === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = given.KUBECONFIG;
    delete process.env["MEANWHILE"];
    rmSync(file);
    rmSync(folder, { recursive: true });
    await api.close();
  });

  const now = () => readFileSync(file, "utf8");
  const made = (name: string) => readFileSync(join(folder, name), "utf8");
  const asked = () =>
    made("asked")
      .split("\n")
      .map((line) => line.split(" ")[0]);
  // Nobody is at this terminal: that is a no.
  const change = (question?: string) =>
    applyChange({
      stack,
      what: "The switch to green",
      config: { activeColor: "green" },
      undo: { activeColor: "blue" },
      question,
    });

  it("is planned without a word in the stack's file, where another update would find it", async () => {
    await failsWith("BG-NOT-CONFIRMED", () => change("Move it to green?"));
    expect(made("seen")).to.equal(before);
    expect(made("planned")).to.equal(before.replace("activeColor: blue", "activeColor: green"));
    expect(now()).to.equal(before);
    expect(asked()).not.to.include("config");
  });

  it("leaves what somebody else has written while the question was open", async () => {
    process.env["MEANWHILE"] = "preview";
    await failsWith("BG-NOT-CONFIRMED", () => change("Move it to green?"));
    expect(now()).to.equal(`${before}  chatgpt-app:replicas: "5"\n`);
  });

  it("is not made on top of a config that the plan has not seen", async () => {
    process.env["MEANWHILE"] = "preview";
    await failsWith("BG-PLAN-OUTDATED", () => change());
    expect(now()).to.equal(`${before}  chatgpt-app:replicas: "5"\n`);
    expect(asked()).not.to.include("config").and.not.include("up");
  });

  it("is reverted key by key where its update has not begun", async () => {
    process.env["MEANWHILE"] = "up";
    expect(await failsWith("BG-PULUMI-FAILED", () => change())).to.contain("another update is running");
    expect(asked()).to.include("config").and.include("up");
    expect(now()).to.equal(`${before}  chatgpt-app:replicas: "5"\n`);
  });
});

describe("Settings in the text of a stack's file", () => {
  it("change alone: comments, order and what is encrypted stay", () => {
    expect(
      withSettings(before, { activeColor: "green", greenTag: undefined, schemaVersion: "0001" }),
    ).to.equal(
      `${before.replace("activeColor: blue", "activeColor: green").replace("  chatgpt-app:greenTag: v2\n", "")}  chatgpt-app:schemaVersion: "0001"\n`,
    );
  });

  it("are reverted where they are as they were set, and nobody else has set them since", () => {
    const changed = (change: Record<string, unknown>) =>
      reverted({ activeColor: "green", greenTag: undefined }, { before, now: withSettings(before, change) });
    expect(changed({})).to.deep.equal({});
    expect(changed({ activeColor: "green", greenTag: undefined })).to.deep.equal({
      activeColor: "blue",
      greenTag: "v2",
    });
    expect(changed({ activeColor: "green", greenTag: "v3" })).to.deep.equal({ activeColor: "blue" });
  });
});
