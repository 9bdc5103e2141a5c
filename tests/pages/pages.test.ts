import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { names, poll, type Color } from "@bluegreen/release";
import { startLoad, type Load } from "../../local/load/job";
import { figuresOf, type Mark } from "../../local/load/report";
import type { BreakableProxy } from "../support/breakableProxy";
import { liveColor } from "../support/read";
import { bluegreen } from "../support/bluegreen";
import { writeOtherWay } from "../support/otherWay";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { expectGood, openTab, photograph, startBrowser, violations, type Shown } from "./support/browser";
import { askRaw, startDashboard, type RunningDashboard } from "./support/dashboard";
import { openWatchingDashboard } from "./support/openDashboard";

const app = "chatgpt-app";

/** A night with the dashboard, and the report of it in the morning. */
describe("The pages, in a real browser, on a real cluster", function () {
  let test: TestStack;
  let browser: Browser;
  let folder: string;
  let proxy: BreakableProxy;
  let load: Load;
  const marks: Mark[] = [];
  let dashboard: RunningDashboard;
  let shown: Shown;
  let page: Page;

  before(async () => {
    browser = await startBrowser();
    folder = await mkdtemp(join(tmpdir(), "bg-pages-"));
    test = await makeStack(twoVersions);
    await test.set({
      activeColor: "blue",
      blueTag: "v1",
      greenTag: "v2",
      connectionDrain: { timeoutSeconds: 4 },
    });
    await test.stack.up();
    // The dashboard alone reaches the cluster by a way that the test can cut.
    const kubeconfig = join(folder, "kubeconfig");
    proxy = await writeOtherWay(test.stage.kubeconfig, kubeconfig);
    load = await startLoad(test.cluster, {
      app,
      image: `${test.stage.imageRepository}:v1`,
      rate: 20,
      seconds: 600,
    });
    marks.push({ title: "v1 alone", startedAt: Date.now(), endedAt: Date.now() });
    dashboard = await startDashboard(test, { KUBECONFIG: kubeconfig });
    shown = await openTab(browser);
    page = shown.page;
  });
  after(async () => {
    await browser.close();
    dashboard.process.kill("SIGKILL");
    proxy.close();
    await test.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const card = (color: Color) => page.locator(`[data-color=${color}]`);
  const job = (kind: string) => page.locator(`[data-job=${kind}]`);
  const reads = async (place: ReturnType<Page["locator"]>, what: RegExp) => {
    let last = "nothing";
    await poll(
      async () => {
        last = (await place.allInnerTexts()).join("\n");
        return what.test(last.replaceAll(/\s+/g, " ")) || undefined;
      },
      { timeoutMs: 600_000, intervalMs: 200 },
    ).catch(() => {
      throw new Error(`${String(what)} does not come; there is: ${last}`);
    });
  };
  /** Where the keyboard is. */
  const focused = () => page.evaluate("document.activeElement?.innerText ?? ''");
  const tabTo = async (label: string) => {
    for (let presses = 0; (await focused()) !== label; presses++) {
      expect(presses, `presses of Tab to ${label}`).to.be.lessThan(60);
      await page.keyboard.press("Tab");
    }
  };
  /** Until a page shows a color as the active one. */
  const showsLive = (on: Page, color: Color) =>
    on.locator(`.card.live[data-color=${color}]`).waitFor({ timeout: 600_000 });

  it("lets nobody in but whoever has the address that was printed", async () => {
    const { origin, host, search } = new URL(dashboard.url);
    const { status, location = "" } = await askRaw(dashboard.url, {});
    expect(status).to.equal(303);
    const cookie = `bluegreen=${new URLSearchParams(search).get("token") ?? ""}`;
    expect(
      (await askRaw(origin + location, { headers: { cookie } })).status,
      "as a browser continues",
    ).to.equal(200);
    const refused = async (
      what: string,
      url: string,
      options: Parameters<typeof askRaw>[1],
      says: string,
    ) => {
      const answer = await askRaw(url, options);
      expect([answer.status, answer.text.includes(says)], `${what}: ${answer.text}`).to.deep.equal([
        403,
        true,
      ]);
    };
    await refused("no token", origin + location, {}, "token is missing or wrong");
    await refused("a wrong one", `${origin}/?token=${"x".repeat(43)}`, {}, "token is missing or wrong");
    await refused(
      "a foreign name for this machine",
      dashboard.url,
      { headers: { host: host.replace("127.0.0.1", "evil.example") } },
      "evil.example",
    );
    await refused(
      "a foreign page",
      `${origin}${location}switch`,
      { method: "POST", headers: { cookie, origin: "http://evil.example" }, body: '{"to":"green"}' },
      "evil.example",
    );
    await refused(
      "a form of nobody",
      `${origin}${location}switch`,
      { method: "POST", headers: { cookie }, body: '{"to":"green"}' },
      "without an origin",
    );
    expect(await liveColor(test.cluster)).to.equal("blue");
  });

  it("shows both colors side by side, what they answer, and what led there", async () => {
    await page.goto(dashboard.url);
    expect(page.url(), "the address has no token any more").not.to.contain("token");
    await reads(card("blue"), /blue live 100 % of traffic version v1 pods ready 2 of 2/i);
    await reads(card("green"), /green standby 0 % of traffic version v2 pods ready 2 of 2/i);
    await reads(page.locator("main"), /schema is at 0002\. Nothing is pending\..*switch nothing blue v1/);
    await reads(page.locator("main"), /smoke gate of green \d+ tests passed/);
    await reads(
      page.locator("tr", { hasText: "2 of 2" }).first(),
      /blue [1-9][\d.]* 0\.0 % [\d.]+ ms [\d.]+ ms 2 of 2/,
    );
    expect(await page.locator(".chart .line.blue path").count(), "lines of blue").to.be.greaterThan(1);
  });

  it("shows traffic moves when a watch says so, without waiting for a poll, whoever has moved them", async () => {
    const { core, namespace } = test.cluster;
    const watching = await openWatchingDashboard(test);
    const patch = async (version: Color) => {
      const at = Date.now();
      await core.patchNamespacedService({
        name: names.activeService(app),
        namespace,
        body: [{ op: "replace", path: "/spec/selector/version", value: version }],
      });
      await showsLive(watching.page, version);
      console.log(`      a patch of the Service: on the screen after ${Date.now() - at} ms`);
      await showsLive(page, version);
    };
    await showsLive(watching.page, "blue");
    // What is announced stays until the next thing is: all of it is kept, not only the last.
    await page.evaluate(`(() => {
      const said = globalThis.announced = [];
      const region = document.querySelector("[role=status]");
      new MutationObserver(() => said.push(region.textContent))
        .observe(region, { childList: true, characterData: true, subtree: true });
    })()`);
    await patch("green");
    await reads(page.locator("main"), /Config says blue, and traffic is on green/);
    expect((await page.evaluate<string[]>("announced")).join("\n")).to.contain("Traffic is on green now.");
    await patch("blue");
    await watching.close();
  });

  it("makes a plan from a real preview, and says meanwhile that it does", async () => {
    await page.getByRole("button", { name: "Make a plan" }).click();
    await reads(page.locator("main"), /A preview runs, for \d+ s/);
    await reads(
      page.getByRole("region", { name: "Plan", exact: true }),
      /traffic stays on blue \(v1\).*rollback/,
    );
  });

  it("asks before it switches, by keyboard alone, and takes a no", async () => {
    await tabTo("Switch to green…");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Switch traffic to green?" });
    await dialog.waitFor();
    expect(await focused(), "the careful answer first").to.equal("Cancel");
    await photograph(page, "dashboard-question");
    expect(await violations(page)).to.deep.equal([]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await focused(), "back to where it was").to.equal("Switch to green…");
    expect(await job("switch").count()).to.equal(0);
  });

  it("switches by the command and its gates, for one person at a time, and shows it", async () => {
    const startedAt = Date.now();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.type("the test <b>wants</b> it");
    await tabTo("Switch to green");
    await page.keyboard.press("Enter");
    await reads(job("switch"), /switch to green: running/i);

    // A second person, in a browser of their own.
    const other = await openTab(browser);
    await other.page.goto(dashboard.url);
    const refusal = await other.page.evaluate<string>(
      `fetch("switch", { method: "POST", headers: { "content-type": "application/json" }, body: '{"to":"green"}' }).then(async (answer) => answer.status + " " + (await answer.text()))`,
    );
    expect(refusal).to.match(/^409 A switch to green is running, since /);
    await other.page.getByRole("button", { name: "Switch to green…" }).press("Enter");
    await reads(other.page.getByRole("alert"), /A switch to green is running/);
    await other.page.context().close();

    await showsLive(page, "green");
    await reads(card("green"), /green live 100 %/i);
    await reads(job("switch"), /switch to green: done.*traffic is there/i);
    await reads(job("switch"), /smoke|Smoke/);
    await reads(
      page.getByRole("region", { name: "History" }),
      /switch blue v1 green v2 \S+ the test <b>wants<\/b> it/,
    );
    await reads(page.locator("main"), /analysis kept/);
    await page.getByText("Config says").waitFor({ state: "detached" });
    marks.push({ title: "switch to green", startedAt, endedAt: Date.now() });
  });

  it("is good to look at, to hear and to use, by day and by night, at a desk and on a phone", async () => {
    await expectGood(page, "dashboard");
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it("rolls back", async () => {
    const startedAt = Date.now();
    await page.getByRole("button", { name: "Roll back to blue…" }).click();
    await page.getByLabel("Why").fill("it is slow");
    await page.getByRole("button", { name: "Roll back to blue", exact: true }).click();
    await reads(
      job("rollback"),
      /rollback to blue: done.*traffic is back, and the stack's config is updated/i,
    );
    await reads(card("blue"), /blue live 100 %/i);
    await reads(page.locator("main"), /green v2: it is slow/);
    expect(await liveColor(test.cluster)).to.equal("blue");
    marks.push({ title: "rollback to blue", startedAt, endedAt: Date.now() });
    expect(shown.complaints).to.deep.equal([]);
  });

  it("says when the cluster is away, and shows it again when it is back", async () => {
    proxy.cut();
    await reads(
      page.getByText("could not be read since"),
      /The cluster could not be read since .* What is shown is from before/,
    );
    await reads(card("blue"), /blue live/i);
    proxy.mend();
    await poll(async () => (await page.getByText("could not be read since").count()) === 0 || undefined, {
      timeoutMs: 600_000,
    });
  });

  it("reports the release in one file that needs nothing else", async () => {
    const file = join(folder, "release.html");
    const figures = figuresOf(await load.finish(), marks);
    expect(figures.failureTexts).to.deep.equal([]);
    const counted = join(folder, "load.json");
    await writeFile(counted, JSON.stringify(figures));
    const { code, said } = await bluegreen(test, "report", "--out", file, "--load", counted);
    expect(code, said).to.equal(0);
    const report = await openTab(browser);
    const asked: string[] = [];
    report.page.on("request", (request) => asked.push(request.url()));
    await report.page.goto(pathToFileURL(file).href);
    const text = await report.page.locator("body").innerText();
    expect(text)
      .to.contain("Rolled back: traffic went from green (v2) to blue (v1)")
      .and.contain("the test <b>wants</b> it")
      .and.contain("it is slow")
      .and.contain("tests passed")
      .and.contain("none failed");
    for (const secret of Object.values(test.secrets))
      expect(await report.page.content()).not.to.contain(secret);
    await expectGood(report.page, "report");
    expect(report.complaints).to.deep.equal([]);
    expect(
      asked.filter((url) => !url.startsWith("data:")),
      "requests",
    ).to.deep.equal([pathToFileURL(file).href]);
    await report.page.context().close();
  });

  it("ends by Ctrl-C, and lets what it runs end safely before", async () => {
    await page.getByRole("button", { name: "Roll back to green…" }).waitFor();
    const cleared = await bluegreen(test, "unblock", "green");
    expect(cleared.code, cleared.said).to.equal(0);
    await page.getByRole("button", { name: "Switch to green…" }).click();
    await page.getByRole("button", { name: "Switch to green", exact: true }).click();
    await reads(job("switch"), /switch to green: running/i);
    // It has begun: until then Ctrl-C reverts config, and there is nothing to say of an update.
    await reads(job("switch"), /LiveLock/);
    const code = await dashboard.end();
    expect(dashboard.said())
      .to.contain("The switch to green is told to end, and says what it does:")
      .and.match(/The switch to green (was interrupted|failed)|live (blue|green)/);
    expect([0, 1], dashboard.said()).to.include(code);
    await reads(page.locator("header"), /does not answer|has ended/);
    for (const secret of Object.values(test.secrets)) expect(dashboard.said()).not.to.contain(secret);
  });
});
