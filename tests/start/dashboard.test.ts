import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { layout, type Layout } from "../../local/cluster/layout";
import { dashboardUrl, openDashboard } from "../../local/start/dashboard";
import { localHome, stackFile, type StackHome } from "../../local/start/home";
import { findProcesses } from "../../local/system/processes";
import { run } from "../../local/system/run";
import { waitFor } from "../../local/system/wait";
import { isRefused, local, runLocal } from "./support";

/** Enough for the dashboard to serve: it says on its page that the cluster does not answer. */
const config = `config:
  chatgpt-app:activeColor: blue
  chatgpt-app:blueTag: v1
  chatgpt-app:context: none
  chatgpt-app:host: app.localhost
  chatgpt-app:imageRepository: example.com/chatgpt-app
  chatgpt-app:namespace: chatgpt-local
`;

const kubeconfig = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "none", cluster: { server: "https://127.0.0.1:1" } }],
  users: [{ name: "none", user: {} }],
  contexts: [{ name: "none", context: { cluster: "none", user: "none" } }],
});

describe("The dashboard that npm start leaves running", function () {
  const chosen = process.env["BLUEGREEN_STAGE_DIR"];
  let folder: string;
  let paths: Layout;
  let home: StackHome;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-board-"));
    process.env["BLUEGREEN_STAGE_DIR"] = join(folder, "s");
    paths = layout();
    home = localHome();
    await mkdir(home.folder, { recursive: true });
    await writeFile(paths.kubeconfig, kubeconfig);
  });

  after(async () => {
    await local.end();
    await runLocal("stop.ts", []);
    await rm(folder, { recursive: true, force: true });
    if (chosen === undefined) delete process.env["BLUEGREEN_STAGE_DIR"];
    else process.env["BLUEGREEN_STAGE_DIR"] = chosen;
  });

  /** With what it has started itself. */
  const processes = () =>
    findProcesses((_args, environment) => environment.includes(`BLUEGREEN_DASHBOARD_OF=${paths.root}`));
  const answer = async (): Promise<number> =>
    (await fetch((await dashboardUrl(paths)) ?? "", { redirect: "manual" })).status;

  it("says why it does not start, and leaves nothing behind", async () => {
    let message = "";
    await openDashboard(paths, home).catch((error: unknown) => {
      message = String(error);
    });
    expect(message)
      .to.include("The dashboard ended while it started")
      .and.include(paths.dashboardLog)
      .and.include(`Pulumi.${home.stack}.yaml`);
    expect(await processes()).to.deep.equal([]);
    expect(await dashboardUrl(paths)).to.equal(undefined);
  });

  it("keeps its address to this account, and lets in who has it", async () => {
    await writeFile(stackFile(home), config);
    await openDashboard(paths, home);
    expect(await answer()).to.equal(303);
    expect((await stat(paths.dashboardLog)).mode & 0o777).to.equal(0o600);
  });

  it("is in a session of its own, which no terminal ends", async () => {
    const sessionsOf = async (pids: number[]) =>
      (await run("ps", ["-o", "sid=", "-p", pids.join(",")])).trim().split(/\s+/);
    const [running, [own]] = [await processes(), await sessionsOf([process.pid])];
    expect(running).not.to.be.empty;
    expect(await sessionsOf(running)).not.to.include(own);
  });

  it("stays as it is when it is opened again", async () => {
    const [url, running] = [await dashboardUrl(paths), await processes()];
    await openDashboard(paths, home);
    expect([await dashboardUrl(paths), await processes()]).to.deep.equal([url, running]);
  });

  it("is not shown when it has died, and starts again", async () => {
    const [url, running] = [await dashboardUrl(paths), await processes()];
    for (const pid of running) process.kill(pid, "SIGKILL");
    await waitFor(
      async () => ((await dashboardUrl(paths)) === undefined ? true : undefined),
      300_000,
      () => Promise.resolve(new Error(`It is still shown: ${url}`)),
    );
    await openDashboard(paths, home);
    expect(await dashboardUrl(paths))
      .to.be.a("string")
      .and.not.equal(url);
    expect(await answer()).to.equal(303);
  });

  it("ends by npm run stop", async () => {
    const url = (await dashboardUrl(paths)) ?? "";
    const { code, errors } = await runLocal("stop.ts", []);
    expect(code, errors).to.equal(0);
    expect(await isRefused(url), "connections are refused").to.equal(true);
    expect(await processes()).to.deep.equal([]);
    expect(existsSync(paths.root)).to.equal(false);
  });
});
