import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe, { type AxeResults } from "axe-core";
import { expect } from "chai";
import { chromium, type Browser, type Page } from "playwright-core";
import { cacheDir } from "../../../local/paths";
import { withLock } from "../../../local/system/lock";
import { chromiumProgram, installPackages, missingPackages } from "../../../local/system/packages";

/** Debian's Chromium, brought where it is missing, with a new and empty profile. */
export async function startBrowser(): Promise<Browser> {
  await withLock(join(cacheDir(), "locks", "browser-packages"), async () => {
    const missing = missingPackages("browser");
    if (missing.length > 0)
      await installPackages(missing, (text) => {
        console.log(`      ${text}`);
      });
  });
  return chromium.launch({
    executablePath: chromiumProgram,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    env: { ...process.env, TMPDIR: tmpdir() },
    // It would end this process with itself: before the tests have taken away what they have started.
    handleSIGINT: false,
    handleSIGTERM: false,
  });
}

export interface Shown {
  page: Page;
  /**
   * What the browser itself had to complain about: errors of scripts, and whatever its policy has stopped.
   */
  complaints: string[];
}

/** A tab of its own, with nothing in it that another one has kept. */
export async function openTab(browser: Browser): Promise<Shown> {
  const page = await (await browser.newContext()).newPage();
  // Of a machine that is busy with other tests.
  page.setDefaultTimeout(600_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => {
    complaints.push(String(error));
  });
  return { page, complaints };
}

/** How people look at a page: at a desk and on a phone, by day and by night. */
const looks = [
  { name: "light-wide", colorScheme: "light", width: 1440, height: 900 },
  { name: "dark-wide", colorScheme: "dark", width: 1440, height: 900 },
  { name: "light-narrow", colorScheme: "light", width: 360, height: 740 },
  { name: "dark-narrow", colorScheme: "dark", width: 360, height: 740 },
] as const;

/** In each of these looks nothing is in anybody's way, nothing is wider than the screen. */
export async function expectGood(page: Page, title: string): Promise<void> {
  for (const { name, colorScheme, width, height } of looks) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height });
    expect(await violations(page), `${title}, ${name}`).to.deep.equal([]);
    expect(
      await page.evaluate("document.documentElement.scrollWidth"),
      `${title}, ${name}: how wide it is`,
    ).to.be.at.most(width);
    await photograph(page, `${title}-${name}`, name.endsWith("wide"));
  }
}

/** Of a page that is longer: what is below it is tables. */
const photographedHeight = 1500;

/** Only for whoever names a folder for it: `npm run screenshots`. */
export async function photograph(page: Page, name: string, fullPage = false): Promise<void> {
  const folder = process.env["BLUEGREEN_SCREENSHOTS"];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.evaluate("scrollTo(0, 0)");
  const { width = 0 } = page.viewportSize() ?? {};
  await page.screenshot({
    path: join(folder, `${name}.png`),
    animations: "disabled",
    ...(fullPage && { fullPage, clip: { x: 0, y: 0, width, height: photographedHeight } }),
  });
}

/** What axe finds in the page as it is now. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const results = await page.evaluate<AxeResults>("axe.run()");
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary = "" }) => `${id}: ${html}\n${failureSummary}`),
  );
}
