import { expect } from "chai";
import type { Page } from "playwright-core";
import type { TestStack } from "../../support/testStack";
import { openTab, startBrowser } from "./browser";
import { startDashboard } from "./dashboard";

export interface OpenDashboard {
  page: Page;
  /** Closes it, and fails where the browser has complained or the dashboard has not ended well. */
  close: () => Promise<void>;
}

/** The dashboard in a browser, as somebody has it open beside their work. */
export async function openDashboard(test: TestStack): Promise<OpenDashboard> {
  const [browser, dashboard] = await Promise.all([startBrowser(), startDashboard(test, {})]);
  const { page, complaints } = await openTab(browser);
  await page.goto(dashboard.url);
  const close = async () => {
    await browser.close();
    expect([await dashboard.end(), complaints]).to.deep.equal([0, []]);
  };
  return { page, close };
}
