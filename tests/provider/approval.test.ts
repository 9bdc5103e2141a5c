import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { PatchStrategy, setHeaderOptions } from "@bluegreen/release/kubernetes/client";
import { expect } from "chai";
import { names, approvalAnnotation, poll, switchAnnotation } from "@bluegreen/release";
import { refuseUnapproved, writeApproval } from "@bluegreen/release/state/approval";
import { failureOf } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

describe("The approval to move traffic, on a real cluster", function () {
  let test: TestNamespace;
  before(async () => {
    test = await makeNamespace();
    const labels = { app: "chatgpt-app", version: "green" };
    await test.cluster.apps.createNamespacedDeployment({
      namespace: test.namespace,
      body: {
        metadata: { name: "chatgpt-app-green" },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": "wanted" } },
            spec: { containers: [{ name: "mcp-server", image: "repo/app:v2" }] },
          },
        },
      },
    });
  });
  after(() => test.remove());

  const service = (version: unknown, id?: unknown) => ({
    metadata: { annotations: { ...(id === undefined ? {} : { [switchAnnotation]: id }) } },
    spec: { selector: { app: "chatgpt-app", version } },
  });
  const move = (to: object, part: { template?: string; preview?: boolean } = {}) =>
    refuseUnapproved({
      ...test.where,
      templates: { blue: "other", green: part.template ?? "wanted" },
      service: to,
      preview: part.preview ?? false,
    });

  it("is needed for the first users, too", async () => {
    expect(await failureOf(move(service("green", "s1"))))
      .to.contain("The move of traffic to green was refused")
      .and.contain("No color is live yet");
  });

  it("lets the one switch through that it was written for, and once only", async () => {
    const body = {
      metadata: { name: "chatgpt-app-service", annotations: { [switchAnnotation]: "s0" } },
      spec: { selector: { app: "chatgpt-app", version: "blue" }, ports: [{ port: 80 }] },
    };
    await test.cluster.core.createNamespacedService({ namespace: test.namespace, body });
    expect(await failureOf(move(service("green", "s1"))))
      .to.contain("have let no switch to Deployment")
      .and.contain("this is s1")
      .and.contain("Live traffic stays on blue")
      .and.contain("without --target");
    await writeApproval(test.cluster, "chatgpt-app", "green", "s1");
    await move(service("green", "s1"));
    expect(await failureOf(move(service("green", "s2"))))
      .to.contain("switch s1")
      .and.contain("this is s2");
    // As --target leaves it: the gate did not run, and its id is the last switch's.
    await writeApproval(test.cluster, "chatgpt-app", "green", "s0");
    expect(await failureOf(move(service("green", "s0")))).to.contain(
      `${switchAnnotation} stays that of the last switch, s0`,
    );
    expect(await failureOf(move(service("green")))).to.contain(`gets no ${switchAnnotation}`);
  });

  it("is worth nothing for other pods than the program wants", async () => {
    await writeApproval(test.cluster, "chatgpt-app", "green", "s3");
    expect(await failureOf(move(service("green", "s3"), { template: "newer" }))).to.contain(
      "is wanted, and newer is wanted",
    );
    await move(service("green", "s3"));
  });

  it("leaves what else is on the Deployment alone", async () => {
    const deployment = await test.cluster.apps.readNamespacedDeployment({
      name: "chatgpt-app-green",
      namespace: test.namespace,
    });
    expect(deployment.metadata?.annotations?.[approvalAnnotation]).to.equal("s3");
    expect(deployment.spec?.template.metadata?.annotations).to.deep.equal({
      "bluegreen.dev/pod-template-hash": "wanted",
    });
  });

  it("is not asked for where traffic is already", async () => {
    await move(service("blue"));
  });

  it("may not be there yet in preview, when the switch has no id yet", async () => {
    await move(service("green", { unknown: true }), { preview: true });
    expect(await failureOf(move(service("green", "s9"), { preview: true }))).to.contain("this is s9");
    expect(await failureOf(move(service("green", { unknown: true })))).to.contain("was refused");
  });

  it("is for a color, and nothing else", async () => {
    for (const version of ["purple", "", undefined])
      expect(await failureOf(move(service(version, "s3")))).to.contain("must be blue or green");
  });

  it("is not written by an update that has lost its lock", async () => {
    const script = `
      const { connect } = require("@bluegreen/release");
      const { beginRelease } = require("@bluegreen/release/state/releaseLock");
      const { writeApproval } = require("@bluegreen/release/state/approval");
      const cluster = connect(${JSON.stringify(test.where)});
      const approval = () => writeApproval(cluster, "chatgpt-app", "green", "lost").then(() => setTimeout(approval, 500), (error) => { console.log(error.message); process.exit(); });
      beginRelease(cluster, "chatgpt-app", { waitSeconds: 0, say: console.log }).then(() => { console.log("begun"); return approval(); });`;
    const child = spawn(process.execPath, ["-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, KUBECONFIG: test.stage.kubeconfig },
    });
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
    await poll(() => Promise.resolve(lines[0]), { timeoutMs: 300_000 });
    const lease = { name: names.releaseLease("chatgpt-app"), namespace: test.namespace };
    await test.cluster.coordination.patchNamespacedLease(
      {
        ...lease,
        body: {
          spec: { holderIdentity: "bob" },
          metadata: { annotations: { "bluegreen.dev/lease-id": "his" } },
        },
      },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
    await poll(() => Promise.resolve(lines[1]), { timeoutMs: 300_000 });
    expect(lines.join("\n")).to.contain("was lost").and.contain("bob has it");
  });
});
