import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf } from "@bluegreen/release";
import { makeReport } from "../../cli/reportPage";
import { statusRefsOf } from "../../cli/statusRef";
import type { Figures } from "../load/report";
import { repositoryDir } from "../paths";
import { stackEnvironment } from "./home";
import type { Target } from "./target";

/**
 * Writes the release as a page, beside its state. The figures are what the run was for: a page that cannot be
 * written is said, and spoils none of them. @returns the line for it
 */
export async function writeReport({ home }: Target, figures: Figures): Promise<string> {
  // As in a shell that has exported what the last words say.
  process.chdir(repositoryDir);
  Object.assign(process.env, stackEnvironment(home));
  const file = join(home.folder, "report.html");
  try {
    // A trial has one cluster.
    for (const ref of statusRefsOf(home.stack))
      await writeFile(file, await makeReport(home.stack, ref, figures));
    return `Report: ${pathToFileURL(file).href}`;
  } catch (error) {
    return `No report was written: ${messageOf(error)}`;
  }
}
