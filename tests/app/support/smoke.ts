import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { z } from "zod";
import { repositoryDir } from "../../../local/paths";

const test = z.object({ fullTitle: z.string() });
const report = z.object({ passes: z.array(test), failures: z.array(test) });

/** Runs the smoke suite as the release gate does, and returns the titles of its tests. */
export async function runSmoke(env: {
  BASE_URL: string;
  EXPECT_COLOR: string;
  EXPECT_VERSION: string;
}): Promise<{ passed: string[]; failed: string[] }> {
  const mocha = join(repositoryDir, "node_modules", "mocha", "bin", "mocha.js");
  const child = spawn(
    process.execPath,
    [
      mocha,
      "--no-config",
      "-r",
      "@bluegreen/release/gates/suiteProcess",
      "--reporter",
      "json",
      "tests/smoke/*.ts",
    ],
    { cwd: repositoryDir, env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", "pipe", "inherit"] },
  );
  const { passes, failures } = report.parse(JSON.parse(await text(child.stdout)));
  const titles = (tests: { fullTitle: string }[]): string[] => tests.map(({ fullTitle }) => fullTitle);
  return { passed: titles(passes), failed: titles(failures) };
}
