import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PatchStrategy, setHeaderOptions, V1MicroTime } from "@bluegreen/release/kubernetes/client";
import { expect } from "chai";
import {
  connect,
  poll,
  takeLease,
  type Cluster,
  type HeldLease,
  type LeaseOptions,
} from "@bluegreen/release";
import { hasEnded, processMark } from "@bluegreen/release/util/process";
import type { BreakableProxy } from "../support/breakableProxy";
import { writeOtherWay } from "../support/otherWay";
import { failureOf } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

describe("A Lease, on a real cluster", function () {
  let test: TestNamespace;
  let proxy: BreakableProxy;
  /** The same cluster, by a way that can be cut. */
  let far: Cluster;
  let name: string;
  let folder: string;
  const held: HeldLease[] = [];
  before(async () => {
    test = await makeNamespace();
    folder = await mkdtemp(join(tmpdir(), "bg-lease-"));
    const other = join(folder, "kubeconfig");
    proxy = await writeOtherWay(test.stage.kubeconfig, other);
    process.env["KUBECONFIG"] = other;
    far = connect(test.where);
    process.env["KUBECONFIG"] = test.stage.kubeconfig;
  });
  after(async () => {
    proxy.close();
    await rm(folder, { recursive: true });
    await test.remove();
  });
  let count = 0;
  beforeEach(() => {
    name = `lease-${(count += 1)}`;
    proxy.mend();
  });
  afterEach(async () => {
    await Promise.all(held.splice(0).map((lease) => lease.release()));
  });

  const take = async (holder: string, options: Partial<LeaseOptions> = {}, cluster = test.cluster) => {
    const answer = await takeLease(cluster, name, { holder, seconds: 9, waitMs: 0, ...options });
    if ("held" in answer) held.push(answer.held);
    return answer;
  };
  const hold = async (holder: string, options: Partial<LeaseOptions> = {}, cluster = test.cluster) => {
    const answer = await take(holder, options, cluster);
    if (!("held" in answer)) throw new Error(`${answer.heldBy} has it`);
    return answer.held;
  };
  const read = () => test.cluster.coordination.readNamespacedLease({ name, namespace: test.namespace });
  const lost = ({ lost: signal }: HeldLease) => (signal.aborted ? Promise.resolve() : once(signal, "abort"));
  /** One that nobody renews, as another machine has written it. */
  const leave = (leaseDurationSeconds: number, process = "") => {
    const time = new V1MicroTime("2040-01-01T00:00:00Z");
    const metadata = {
      name,
      annotations: { "bluegreen.dev/lease-id": "other", "bluegreen.dev/lease-process": process },
    };
    return test.cluster.coordination.createNamespacedLease({
      namespace: test.namespace,
      body: {
        metadata,
        spec: { holderIdentity: "ghost", leaseDurationSeconds, acquireTime: time, renewTime: time },
      },
    });
  };

  it("is had by one of many who want it at once, and named to the others", async () => {
    const wanted = ["a", "b", "c", "d", "e", "f"];
    const answers = await Promise.all(wanted.map((holder) => take(holder)));
    const [holder, ...others] = answers.flatMap((answer) => ("held" in answer ? [answer.held.holder] : []));
    expect(others).to.deep.equal([]);
    for (const answer of answers) {
      if ("held" in answer) continue;
      expect(answer.heldBy).to.equal(holder);
      expect(answer.since).to.match(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }
  });

  it("goes to the one who waits as soon as it is released, who was told whom to wait for", async () => {
    const first = await hold("anna@laptop pid 4711", { seconds: 3600 });
    const said: string[] = [];
    const waiting = take("bob", { waitMs: 60_000, say: (line) => said.push(line) });
    await poll(() => Promise.resolve(said[0]), { timeoutMs: 300_000 });
    await first.release();
    expect(await waiting).to.have.nested.property("held.holder", "bob");
    expect(said[0]).to.match(new RegExp(`^waiting for ${name}, held by anna@laptop pid 4711 since 20.*Z$`));
    expect((await read()).spec?.leaseTransitions).to.equal(1);
  });

  it("stays with whoever renews it, for longer than its duration", async () => {
    const first = await hold("a", { seconds: 6 });
    expect(await take("b", { waitMs: 8000 })).to.have.property("heldBy", "a");
    expect(first.lost.aborted).to.equal(false);
  });

  it("is given up when nothing was written for its duration by the clock of the one who waits, whatever time stands in it", async () => {
    await leave(2);
    const started = performance.now();
    // Not to wait is not to wait for the living.
    await hold("b");
    expect(performance.now() - started).to.be.at.least(2000);
  });

  it("is taken over at once when its holder was a process of this machine that has ended", async () => {
    const child = startMarked();
    const mark = await firstLine(child);
    expect(await hasEnded(mark), "it lives").to.equal(false);
    await leave(3600, mark);
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
    await hold("b");
  });

  it("outlives an API server that is away for less than its duration", async () => {
    const lease = await hold("far", { seconds: 12 }, far);
    proxy.cut();
    const before = (await read()).metadata?.resourceVersion;
    await poll(() => Promise.resolve(proxy.refused() > 0 ? true : undefined), { timeoutMs: 300_000 });
    expect((await read()).metadata?.resourceVersion, "a renewal has failed").to.equal(before);
    proxy.mend();
    await poll(async () => ((await read()).metadata?.resourceVersion !== before ? true : undefined), {
      timeoutMs: 300_000,
    });
    expect(lease.lost.aborted).to.equal(false);
  });

  it("is lost, and known to be, before anybody else can have it", async () => {
    const lease = await hold("far", { seconds: 3 }, far);
    proxy.cut();
    await hold("near", { waitMs: 30_000 });
    expect(lease.lost.aborted).to.equal(true);
    expect((lease.lost.reason as Error).message)
      .to.contain(`Lease ${test.namespace}/${name} of far was lost`)
      .and.contain("kubectl");
    proxy.mend();
    // What it has lost it does not take from the other.
    await lease.release();
    expect((await read()).spec?.holderIdentity).to.equal("near");
  });

  it("is lost when somebody takes it away, and says so", async () => {
    const lease = await hold("a");
    await test.cluster.coordination.deleteNamespacedLease({ name, namespace: test.namespace });
    await lost(lease);
    expect((lease.lost.reason as Error).message).to.contain("somebody has taken it away");
  });

  it("is not lost by an annotation that somebody else writes", async () => {
    const lease = await hold("a");
    const asMerge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
    const { metadata } = await test.cluster.coordination.patchNamespacedLease(
      { name, namespace: test.namespace, body: { metadata: { annotations: { note: "x" } } } },
      asMerge,
    );
    await poll(
      async () => ((await read()).metadata?.resourceVersion !== metadata?.resourceVersion ? true : undefined),
      { timeoutMs: 300_000 },
    );
    expect(lease.lost.aborted).to.equal(false);
    expect((await read()).metadata?.annotations).to.include({ note: "x" });
  });

  it("is waited for, and renewed, only until its signal", async () => {
    const ended = new AbortController();
    const lease = await hold("a", { seconds: 4, signal: ended.signal });
    const impatient = new AbortController();
    const said: string[] = [];
    const waiting = failureOf(
      take("b", { waitMs: 60_000, signal: impatient.signal, say: (line) => said.push(line) }),
    );
    await poll(() => Promise.resolve(said[0]), { timeoutMs: 300_000 });
    impatient.abort(new Error("no longer wanted"));
    expect(await waiting).to.equal("no longer wanted");
    ended.abort(new Error("the process that started this one is gone"));
    await lost(lease);
  });

  it("fails at once where the API server says that asking again is no use", async () => {
    expect(
      await failureOf(
        takeLease({ ...test.cluster, namespace: "not-there" }, name, {
          holder: "a",
          seconds: 3,
          waitMs: 60_000,
        }),
      ),
    ).to.contain("not-there");
  });
});

describe("A process's mark", () => {
  it("tells one that has ended from one that lives, and from those it cannot know about", async () => {
    const own = await processMark();
    expect(await hasEnded(own)).to.equal(false);
    const [boot = "", namespace = "", pid = "", started = ""] = own.split(" ");
    expect(
      await hasEnded([boot, namespace, pid, `${started}0`].join(" ")),
      "its number was used again",
    ).to.equal(true);
    expect(
      await hasEnded([`${boot}0`, namespace, pid, `${started}0`].join(" ")),
      "another machine, or another start of this one",
    ).to.equal(false);
    expect(
      await hasEnded([boot, `${namespace}0`, pid, `${started}0`].join(" ")),
      "another container",
    ).to.equal(false);
    expect(await hasEnded("")).to.equal(false);
  });
});

describe("The one who started a process", () => {
  it("is gone when the pipe that it held ends", async function () {
    const script =
      'const { starterGone } = require("@bluegreen/release/util/process"); const end = starterGone(); console.log(end.aborted); end.addEventListener("abort", () => { console.log("gone"); }); setInterval(() => undefined, 1000);';
    const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
    try {
      await poll(() => Promise.resolve(lines[0]), { timeoutMs: 300_000 });
      child.stdin.end();
      await poll(() => Promise.resolve(lines[1]), { timeoutMs: 300_000 });
    } finally {
      child.kill();
    }
    expect(lines).to.deep.equal(["false", "gone"]);
  });
});

/** A process that says its mark and lives until it is killed. */
function startMarked(): ChildProcess {
  const script =
    'require("@bluegreen/release/util/process").processMark().then(console.log); setInterval(() => undefined, 1000);';
  return spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error("its output is not read");
  for await (const line of createInterface({ input: stdout })) return line;
  throw new Error("it said nothing");
}
