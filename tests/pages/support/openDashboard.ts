import { expect } from "chai";
import type { Page } from "playwright-core";
import { Board } from "../../../cli/dashboard/board";
import { followCluster } from "../../../cli/dashboard/clusterFeed";
import { serveDashboard } from "../../../cli/dashboard/server";
import { app } from "../../../cli/stackConfig";
import { statusRefsOf } from "../../../cli/statusRef";
import type { TestStack } from "../../../local/testing/testStack";
import { openTab, startBrowser } from "./browser";
import { startDashboard } from "./dashboard";

export interface OpenDashboard {
  page: Page;
  /** Closes it, and fails where the browser has complained or the dashboard has not ended well. */
  close: () => Promise<void>;
}

/** The dashboard in a browser, as somebody has it open beside their work. */
export async function openDashboard(test: TestStack): Promise<OpenDashboard> {
  const dashboard = await startDashboard(test, {});
  return open(dashboard.url, async () => {
    expect(await dashboard.end()).to.equal(0);
  });
}

/**
 * The same of one cluster, in this process, with an hour between two polls: what it shows sooner of a change,
 * a watch has told it.
 */
export async function openWatchingDashboard(test: TestStack): Promise<OpenDashboard> {
  const ref = () => {
    const [found] = statusRefsOf(test.name);
    if (found === undefined) throw new Error(`${test.name} has no cluster`);
    return found;
  };
  const board = new Board({
    app,
    namespace: ref().namespace,
    stack: test.name,
    clusters: [{ name: null, release: null, away: null, samples: [], moves: [] }],
    gates: null,
    plan: null,
    jobs: {},
    isEnding: false,
  });
  const ended = new AbortController();
  const following = followCluster({
    ref,
    index: 0,
    board,
    historyGrew: () => undefined,
    signal: ended.signal,
    pollIntervalMs: 3_600_000,
  });
  const server = await serveDashboard(
    board,
    { start: () => "It only shows.", plan: () => "It only shows." },
    0,
  );
  return open(server.url, async () => {
    ended.abort();
    await following;
    server.close();
  });
}

async function open(url: string, end: () => Promise<void>): Promise<OpenDashboard> {
  const browser = await startBrowser();
  const { page, complaints } = await openTab(browser);
  await page.goto(url);
  const close = async () => {
    await browser.close();
    await end();
    expect(complaints).to.deep.equal([]);
  };
  return { page, close };
}
