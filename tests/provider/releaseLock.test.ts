import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { names, poll, type LiveLockInputs } from "@bluegreen/release";
import { allOn } from "@bluegreen/release/routers/weights";
import { findProcesses } from "../../local/system/processes";
import { failureOf } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

/** An update's own process, with the first step and the last. */
interface Update {
  lock: RunningStep;
  unlock: Awaited<ReturnType<RunningStep["beside"]>>;
  /** Ends it as `kill -9` of an update does. */
  kill(): Promise<void>;
}

describe("The lock of a release, in two updates' provider processes and on a real cluster", function () {
  let test: TestNamespace;
  let first: Update;
  let second: Update;
  before(async () => {
    test = await makeNamespace();
    [first, second] = await Promise.all([startUpdate(), startUpdate()]);
    const body = {
      metadata: { name: "chatgpt-app-service" },
      spec: { selector: { app: "chatgpt-app", version: "blue" }, ports: [{ port: 80 }] },
    };
    await test.cluster.core.createNamespacedService({ namespace: test.namespace, body });
  });
  after(async () => {
    await Promise.all([first.lock.close(), second.lock.close()]);
    await test.remove();
  });
  beforeEach(() => {
    second.lock.shown.length = 0;
  });
  afterEach(async () => {
    await test.cluster.coordination.deleteNamespacedLease(lease()).catch(() => undefined);
  });

  const startUpdate = async (): Promise<Update> => {
    const mark = randomBytes(4).toString("hex");
    const lock = await startStep("liveLock", { KUBECONFIG: test.stage.kubeconfig, MARK: mark });
    const kill = async () => {
      const find = () => findProcesses((_args, environment) => environment.includes(`MARK=${mark}`));
      for (const pid of await find()) process.kill(pid, "SIGKILL");
      await poll(async () => ((await find()).length === 0 ? true : undefined), { timeoutMs: 300_000 });
      await lock.close();
    };
    return { lock, unlock: lock.beside("releaseUnlock"), kill };
  };
  const lease = () => ({ name: names.releaseLease("chatgpt-app"), namespace: test.namespace });
  const inputs = (part: Partial<LiveLockInputs> = {}): LiveLockInputs => ({
    ...test.where,
    activeColor: "blue",
    weights: allOn(part.activeColor ?? "blue"),
    route: null,
    templates: { blue: "aaa", green: "bbb" },
    configs: { blue: [], green: [] },
    allowInPlaceUpdate: false,
    lockWaitSeconds: 0,
    ...part,
  });
  const end = (update: Update, { release }: Record<string, unknown>) =>
    update.unlock.create({ ...test.where, release });

  it("is had by one update; the other is told who has it, since when, where traffic is and what to type", async () => {
    const begun = await first.lock.create(inputs());
    const message = await failureOf(second.lock.create(inputs()));
    const { spec } = await test.cluster.coordination.readNamespacedLease(lease());
    expect(spec?.holderIdentity).to.match(/^\S+@\S+ pid \d+$/);
    expect(message).to.contain(
      `The release of chatgpt-app was refused: ${spec?.holderIdentity ?? "?"} has been releasing it since 20`,
    );
    expect(message).to.contain("pulumi config set lockWaitSeconds").and.contain("Live traffic stays on blue");
    await end(first, begun);
    await end(second, await second.lock.create(inputs()));
  });

  it("is waited for, with a line that says for whom", async () => {
    const begun = await first.lock.create(inputs());
    const waiting = second.lock.create(inputs({ lockWaitSeconds: 60 }));
    const said = await poll(() => Promise.resolve(second.lock.shown[0]), { timeoutMs: 300_000 });
    expect(said).to.match(/^waiting for chatgpt-app-release, held by \S+@\S+ pid \d+ since 20/);
    await end(first, begun);
    expect(await waiting)
      .to.have.property("release")
      .that.is.a("string")
      .and.not.equal(begun["release"]);
  });

  it("is free at once when the update that had it was killed on this machine", async () => {
    const killed = await startUpdate();
    await killed.lock.create(inputs());
    await killed.kill();
    await second.lock.create(inputs());
  });

  it("reads again what is live once it is had: whoever was waited for may have moved traffic", async () => {
    const { apps, core } = test.cluster;
    const labels = { app: "chatgpt-app", version: "green" };
    await apps.createNamespacedDeployment({
      namespace: test.namespace,
      body: {
        metadata: { name: "chatgpt-app-green" },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": "theirs" } },
            spec: { containers: [{ name: "mcp-server", image: "repo/app:v2" }] },
          },
        },
      },
    });
    const begun = await first.lock.create(inputs());
    const late = inputs({ activeColor: "green", lockWaitSeconds: 60 });
    expect(await second.lock.check(late), "users leave blue: nothing to say yet").to.deep.equal([]);
    const waiting = failureOf(second.lock.create(late));
    await poll(() => Promise.resolve(second.lock.shown[0]), { timeoutMs: 300_000 });
    const point = (version: string) =>
      core.replaceNamespacedService({
        name: "chatgpt-app-service",
        namespace: test.namespace,
        body: {
          metadata: { name: "chatgpt-app-service" },
          spec: { selector: { app: "chatgpt-app", version }, ports: [{ port: 80 }] },
        },
      });
    await point("green");
    await end(first, begun);
    expect(await waiting)
      .to.contain("green serves traffic with repo/app:v2 and may not change in place")
      .and.contain("Live traffic stays on green");
    const { spec } = await test.cluster.coordination.readNamespacedLease(lease());
    expect(spec?.holderIdentity ?? "", "the refused one keeps nobody waiting").to.equal("");
    await point("blue");
  });

  it("is not asked for by an update that changes nothing, even while another one has it", async () => {
    const done = await first.lock.create(inputs());
    await end(first, done);
    expect(await first.lock.changes(done, inputs())).to.equal("none");
    await second.lock.create(inputs());
    expect(await first.lock.changes(done, inputs())).to.equal("none");
    expect(
      await first.unlock.changes(
        { ...test.where, release: done["release"] },
        { ...test.where, release: done["release"] },
      ),
    ).to.equal("none");
  });

  it("is asked for when traffic is elsewhere than config wants it", async () => {
    const done = await first.lock.create(inputs({ activeColor: "green" }));
    await end(first, done);
    expect(await first.lock.changes(done, inputs({ activeColor: "green" }))).to.equal("some");
  });

  it("is asked for again when its last release never ended, and given back at the end of that", async () => {
    const killed = await startUpdate();
    const failed = await killed.lock.create(inputs());
    await killed.kill();
    expect(await second.lock.changes(failed, inputs())).to.equal("some");
    const done = await second.lock.create(inputs());
    expect(
      await second.unlock.changes(
        { ...test.where, release: failed["release"] },
        { ...test.where, release: done["release"] },
      ),
    ).to.equal("some");
    await end(second, done);
    expect(await second.lock.changes(done, inputs())).to.equal("none");
  });
});
