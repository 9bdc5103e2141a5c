import { existsSync } from "node:fs";
import { readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { untilComplete } from "../../local/cluster/health";
import { layout, network } from "../../local/cluster/layout";
import { readPorts } from "../../local/cluster/supervisor";
import { loadBundles, readStage, startStage, stopStage, type Stage } from "../../local/stage";
import { findProcesses } from "../../local/system/processes";
import { waitFor } from "../../local/system/wait";
import { query } from "../../local/testing/database";
import { ProbePods } from "./support/probePods";
import { getInside, killComponent, ownStageDir, runningSupervisor } from "./support/stageUnderTest";

const bundle = join(__dirname, "support", "probeServer.js");

// Programs that are not built yet are built by the first start.
const firstStartMs = 20 * 60_000;

describe("local stage", function () {
  let removeStage: () => Promise<void>;
  let stage: Stage;
  let pods: ProbePods;
  let service: string;

  before(async function () {
    this.timeout(firstStartMs);
    removeStage = await ownStageDir();
    stage = await startStage();
    const [image = ""] = await loadBundles([{ reference: "bluegreen.local/probe:dev", bundle }]);
    pods = new ProbePods(stage);
    service = await pods.create(image);
  });

  after(async () => {
    await removeStage();
  });

  /** Service rules follow endpoints with a delay, so the first connections may be refused. */
  const answersThroughService = async (): Promise<void> => {
    const answer = await waitFor(
      async () => getInside(`http://${service}/`).catch(() => undefined),
      10_000,
      () => Promise.resolve(new Error(`The Service at ${service} does not answer.`)),
    );
    expect(JSON.parse(answer)).to.include({ uid: 10001, mode: "production" });
  };

  it("runs the app's image as a user without rights, behind a Service", async () => {
    await answersThroughService();
  });

  it("passes port-forwards on from outside", async () => {
    expect(JSON.parse(await pods.getForwarded("/"))).to.include({ uid: 10001 });
  });

  it("leads the app's port to the address that a file names, and closes connections while there is none", async () => {
    const paths = layout();
    const { app } = await readPorts(paths);
    const ask = async (): Promise<unknown> =>
      (await fetch(`http://127.0.0.1:${app}/`, { headers: { connection: "close" } })).json();
    const isClosed = () =>
      ask().then(
        () => false,
        (error: unknown) => error instanceof TypeError,
      );
    expect(await isClosed(), "without an address").to.equal(true);
    await writeFile(paths.appAddress, `${service}:80`);
    expect(await ask()).to.include({ uid: 10001 });
    // Where nothing listens.
    await writeFile(paths.appAddress, `${network.node}:1`);
    expect(await isClosed(), "of another address").to.equal(true);
    await rm(paths.appAddress);
  });

  it("refuses a pod that does not keep to the restricted standard", async () => {
    const body = {
      metadata: { name: "root" },
      spec: { containers: [{ name: "root", image: stage.imageRepository }] },
    };
    let refusal = "";
    await pods.core.createNamespacedPod({ namespace: pods.namespace, body }).catch((error: unknown) => {
      refusal = String(error);
    });
    expect(refusal).to.match(/violates PodSecurity .*restricted/);
  });

  it("lets pods reach PostgreSQL and Redis", async () => {
    const redis = new URL(stage.redis.url);
    for (const [host = "", port = ""] of [stage.postgres.address.split(":"), [redis.hostname, redis.port]]) {
      expect(await pods.getForwarded(`/connect?host=${host}&port=${port}`)).to.equal("connected");
    }
  });

  it("gives pods no way to the machine or beyond it", async () => {
    // 192.0.2.1 is an address for documentation: a packet to it would leave by the machine's default route.
    expect(await pods.getForwarded("/connect?host=192.0.2.1&port=80")).to.not.equal("connected");
    expect(await readlink(`/proc/${String(await runningSupervisor())}/ns/net`)).to.not.equal(
      await readlink("/proc/self/ns/net"),
    );
  });

  it("asks for a password over TCP and none through the socket", async () => {
    expect(await query(stage.postgres.adminUrl, "SELECT current_user AS name")).to.deep.equal([
      { name: "postgres" },
    ]);
    const rules = await query(
      stage.postgres.adminUrl,
      "SELECT type, auth_method FROM pg_hba_file_rules WHERE type <> 'local'",
    );
    expect(rules.map((rule) => rule["auth_method"])).to.satisfy((methods: unknown[]) =>
      methods.every((method) => method === "scram-sha-256"),
    );
  });

  it("keeps what runs when it is started again", async () => {
    const [ids, supervisor] = [await pods.podIds(), await runningSupervisor()];
    expect(await startStage()).to.deep.equal(stage);
    expect(await pods.podIds()).to.deep.equal(ids);
    expect(await runningSupervisor()).to.equal(supervisor);
  });

  for (const component of ["etcd", "kube-apiserver", "containerd", "kubelet", "postgres", "redis"]) {
    it(`brings ${component} back after kill -9 and keeps the pods`, async () => {
      const [ids, supervisor] = [await pods.podIds(), await runningSupervisor()];
      await killComponent(component);
      await startStage();
      expect(await runningSupervisor()).to.equal(supervisor);
      expect(await pods.podIds()).to.deep.equal(ids);
      await answersThroughService();
    });
  }

  it("names a component that does not stay up, with the end of its log", async () => {
    const paths = layout();
    await writeFile(join(paths.config, "kubelet.json"), "{ broken");
    await killComponent("kubelet");
    let message = "";
    await untilComplete(paths, 60_000, () => undefined).catch((error: unknown) => {
      message = String(error);
    });
    expect(message).to.include("kubelet ends again and again");
    expect(message).to.include(join(paths.logs, "kubelet.log"));
    expect(message).to.match(/failed to (load|decode)/i);
    expect(await readStage()).to.equal(undefined);
  });

  it("replaces a stage that cannot be repaired", async () => {
    const supervisor = await runningSupervisor();
    stage = await startStage();
    expect(await runningSupervisor()).to.not.equal(supervisor);
  });

  it("starts again after kill -9 of the supervisor, which leaves no process", async () => {
    const supervisor = await runningSupervisor();
    const namespace = await readlink(`/proc/${String(supervisor)}/ns/pid`);
    process.kill(supervisor, "SIGKILL");
    stage = await startStage();
    expect(await processesIn(namespace)).to.deep.equal([]);
    expect(await runningSupervisor()).to.not.equal(supervisor);
    expect(await readStage()).to.deep.equal(stage);
  });

  it("starts again where only the files of a stage are left, as after a reboot", async () => {
    process.kill(await runningSupervisor(), "SIGKILL");
    expect(await readStage()).to.equal(undefined);
    expect(existsSync(layout().ports)).to.equal(true);
    expect(await startStage()).to.deep.equal(stage);
  });

  it("leaves nothing behind when it is stopped, and a stage beside it alone", async () => {
    const first = layout();
    const namespace = await readlink(`/proc/${String(await runningSupervisor())}/ns/pid`);
    const firstDir = process.env["BLUEGREEN_STAGE_DIR"];
    const removeSecond = await ownStageDir();
    try {
      const second = await startStage();
      const secondDir = process.env["BLUEGREEN_STAGE_DIR"];
      process.env["BLUEGREEN_STAGE_DIR"] = firstDir;

      await stopStage();

      expect(await processesIn(namespace), "processes").to.deep.equal([]);
      expect(await readFile("/proc/self/mounts", "utf8"), "mounts").to.not.include(first.root);
      expect(await cgroupsNamed(first.cgroup), "cgroups").to.deep.equal([]);
      expect(existsSync(first.root), "stage folder").to.equal(false);
      expect(await readStage()).to.equal(undefined);
      await stopStage();

      process.env["BLUEGREEN_STAGE_DIR"] = secondDir;
      expect(await readStage()).to.deep.equal(second);
    } finally {
      await removeSecond();
      process.env["BLUEGREEN_STAGE_DIR"] = firstDir;
    }
  });
});

/**
 * Running processes of a process namespace, from outside. One that only waits for its parent to notice has no
 * arguments any more.
 */
async function processesIn(namespace: string): Promise<number[]> {
  const inNamespace = async (pid: number): Promise<boolean> =>
    (await readlink(`/proc/${String(pid)}/ns/pid`).catch(() => "")) === namespace;
  const running = await findProcesses(() => true);
  const found = await Promise.all(running.map(async (pid) => ((await inNamespace(pid)) ? [pid] : [])));
  return found.flat();
}

async function cgroupsNamed(name: string): Promise<string[]> {
  const hierarchies = ["", ...(await readdir("/sys/fs/cgroup"))];
  return hierarchies
    .map((hierarchy) => join("/sys/fs/cgroup", hierarchy, name))
    .filter((folder) => existsSync(folder));
}
