import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { connect, readLiveColor, type Color } from "@bluegreen/release";
import { layout, type Layout } from "../../local/cluster/layout";
import { supervisorPid } from "../../local/cluster/supervisor";
import { readStage, type Stage } from "../../local/stage";
import { localHome, stackFile, type StackHome } from "../../local/start/home";
import { findProcesses } from "../../local/system/processes";
import { expectGood, openTab, startBrowser } from "../pages/support/browser";
import { ownStageDir } from "../stage/support/stageUnderTest";
import { expectRelease, isRefused, linksIn, local, runLocal, runTimeoutMs, testRate } from "./support";

/** As a newcomer meets it: on a dev cluster of its own, from its start to its end. */
describe("npm start", () => {
  let removeStage: () => Promise<void>;
  let paths: Layout;
  let home: StackHome;
  let browser: Browser;
  let lastWords: string;
  let links: { app: string; dashboard: string };

  before(async function () {
    this.timeout(runTimeoutMs);
    removeStage = await ownStageDir();
    [paths, home] = [layout(), localHome()];
    browser = await startBrowser();
  });

  after(async function () {
    this.timeout(runTimeoutMs);
    await local.end();
    await removeStage();
    await rm(stackFile(home), { force: true });
    await browser.close();
  });

  const runningStage = async (): Promise<Stage> => {
    const stage = await readStage();
    if (stage === undefined) throw new Error(`npm start has left no running stage. It said:\n${lastWords}`);
    return stage;
  };
  const liveColor = async (): Promise<Color | undefined> => {
    const { context, kubeconfig } = await runningStage();
    process.env["KUBECONFIG"] = kubeconfig;
    return readLiveColor(
      connect({ context, namespace: "chatgpt-local", namespacePerColor: false }),
      "chatgpt-app",
    );
  };

  it("releases, switches and rolls back without a failed request, and says where to look and what to type", async () => {
    const ended = await runLocal("start.ts", ["--json", "--rate", testRate]);
    const { errors } = ended;
    lastWords = errors;
    expectRelease(ended);
    expect(errors).to.include("none failed");
    const report = await readFile(new URL(/^Report: (file:.*)$/m.exec(errors)?.[1] ?? ""), "utf8");
    expect(report)
      .to.include("Rolled back: traffic went from green (v2) to blue (v1)")
      .and.include("What clients saw")
      .and.include("switch to green");
    links = linksIn(errors);
    expect(
      errors
        .trim()
        .split("\n")
        .slice(-4)
        .map((line) => line.trim().split("  ")[0]),
    ).to.deep.equal([
      "npm run bluegreen -- status",
      "npm run bluegreen -- switch",
      "npm run bluegreen -- rollback",
      "npm run stop",
    ]);
  }).timeout(runTimeoutMs);

  it("keeps no secret readable in the stack file, and shows the state of it all", async () => {
    const file = await readFile(stackFile(home), "utf8");
    expect(file)
      .to.include("secure:")
      .and.not.include((await runningStage()).postgres.adminUrl);
    const { code, output } = await runLocal("status.ts", ["--json"]);
    expect(code, output).to.equal(0);
    const status: unknown = JSON.parse(output);
    expect(status)
      .to.have.nested.property("release.colors")
      .that.deep.includes.members([
        {
          color: "blue",
          role: "live",
          image: "bluegreen.local/chatgpt-app:v1",
          ready: 2,
          wanted: 2,
          weight: 100,
          changedImage: null,
        },
        {
          color: "green",
          role: "standby",
          image: "bluegreen.local/chatgpt-app:v2",
          ready: 2,
          wanted: 2,
          weight: 0,
          changedImage: null,
        },
      ]);
    expect(status).to.have.property("links").that.deep.equals(links);
    expect((await runLocal("status.ts", [])).output)
      .to.include(links.app)
      .and.include(links.dashboard);
  });

  it("leaves two pages open: a switch by the dashboard's button changes the color on the app's", async () => {
    const [app, dashboard] = [await openTab(browser), await openTab(browser)];
    await app.page.goto(links.app);
    const color = app.page.locator("#color");
    expect([await color.innerText(), await app.page.locator("#version").innerText()]).to.deep.equal([
      "blue",
      "v1",
    ]);
    await expectGood(app.page, "app");

    await dashboard.page.goto(links.dashboard);
    await dashboard.page.getByRole("button", { name: "Switch to green…" }).click();
    await dashboard.page.getByRole("button", { name: "Switch to green", exact: true }).click();

    await color.getByText("green", { exact: true }).waitFor({ timeout: 600_000 });
    expect(await app.page.locator("#version").innerText()).to.equal("v2");
    await dashboard.page
      .locator("[data-job=switch]", { hasText: /traffic is there/i })
      .waitFor({ timeout: 600_000 });
    expect(await liveColor()).to.equal("green");
    expect([app.complaints, dashboard.complaints]).to.deep.equal([[], []]);
  }).timeout(runTimeoutMs);

  it("knows the stack in the commands that it names, as they are typed", async () => {
    // There is no terminal here that could be asked.
    const typed = [["status"], ["rollback", "--yes"], ["unblock", "green"]];
    const lives: (Color | undefined)[] = [];
    for (const args of typed) {
      const { code, output, errors } = await runLocal("bluegreen.ts", args);
      expect(code, errors + output).to.equal(0);
      expect(errors).to.include(`Stack ${home.stack}, of the dev cluster.`);
      lives.push(await liveColor());
    }
    expect(lives).to.deep.equal(["green", "blue", "blue"]);
  }).timeout(runTimeoutMs);

  it("lets Pulumi's own commands switch", async () => {
    const set = await runLocal("pulumi.ts", ["config", "set", "activeColor", "green"]);
    expect(set.code, set.errors).to.equal(0);
    const up = await runLocal("pulumi.ts", ["up", "--yes"]);
    expect(up.code, up.errors + up.output).to.equal(0);
    expect(await liveColor()).to.equal("green");
  }).timeout(runTimeoutMs);

  it("ends all of it by npm run stop, the links and their processes included", async () => {
    const { code, errors } = await runLocal("stop.ts", []);
    expect(code, errors).to.equal(0);
    expect(
      [await isRefused(links.app), await isRefused(links.dashboard)],
      "connections are refused",
    ).to.deep.equal([true, true]);
    expect(
      await findProcesses((_args, environment) =>
        environment.includes(`BLUEGREEN_DASHBOARD_OF=${paths.root}`),
      ),
    ).to.deep.equal([]);
    expect([await supervisorPid(paths), existsSync(paths.root), existsSync(stackFile(home))]).to.deep.equal([
      undefined,
      false,
      false,
    ]);
  });
});
