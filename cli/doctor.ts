import { Command } from "commander";
import { stringify } from "yaml";
import { examine } from "@bluegreen/release/doctor/doctor";
import type { PlannedResource } from "@bluegreen/release/doctor/planned";
import { broken, well, type Finding } from "@bluegreen/release/util/finding";
import { rolesFor } from "@bluegreen/release/doctor/rights";
import { messageOf } from "@bluegreen/release/util/userError";
import { refusedIn } from "@bluegreen/release/steps/plan";
import { placesOf, type Settings } from "@bluegreen/release/config/settings";
import { exitCodes } from "./exitCodes";
import { findingsText, type Located } from "./findingsText";
import { noPulumi, pulumiVersion } from "./pulumi/ask";
import { Stack, UpdateError } from "./pulumi/stack";
import { app, readAllSettings } from "./stackConfig";
import { stackOption } from "./stackOption";
import { bluegreen, bluegreenPiped } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  stack: string;
  json: boolean;
  rbac: boolean;
}

const help = `
Runs a preview of the program, and asks the cluster and the database for all that a release of this stack needs.
Changes nothing in any of them. Each finding comes with what to do about it.

Examples:
  ${bluegreen} doctor
  ${bluegreenPiped} doctor --rbac | kubectl apply -f -

Exit codes: 0 nothing is broken, 1 something is, or could not be checked, 2 the command itself was wrong, or a setting breaks its rule.`;

export function doctorCommand(): Command {
  return new Command("doctor")
    .description(
      "Checks whether a release would find what it needs: settings, cluster, rights, Secrets, ingress, certificate, metrics, database.",
    )
    .addOption(stackOption())
    .option("--rbac", "print the roles that an update needs, for kubectl, and nothing else", false)
    .option("--json", "for programs", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, json, rbac }: Options): Promise<void> {
  const settings = await readAllSettings(stack);
  if (rbac) {
    console.log(rolesText(settings));
    return;
  }
  const { finding, resources } = await previewed(stack);
  const findings = [{ cluster: null, ...finding }, ...(await examineStack(settings, resources))];
  console.log(json ? JSON.stringify({ findings }, null, 2) : findingsText(findings));
  process.exitCode = codeOf(findings);
}

/**
 * The program itself, with whatever its code adds to config: what a preview refuses, an update would. Where it
 * passes, its arguments keep every rule, and its smoke tests and migrations can be loaded, and what it would make
 * tells what else has to be there.
 */
async function previewed(stack: string): Promise<{ finding: Finding; resources?: PlannedResource[] }> {
  const subject = "program";
  try {
    const { steps, resources } = await (await Stack.open({ name: stack })).preview();
    const says = `its preview passes: ${steps.length} resources, and nothing was changed`;
    return { finding: well(subject, says), resources };
  } catch (error) {
    const refused = error instanceof UpdateError ? refusedIn(error) : [];
    const says = refused.length > 0 ? refused.join("; ") : messageOf(error);
    return {
      finding: broken(
        subject,
        `its preview fails: ${says.replaceAll(/\s*\n\s*/g, "; ")}`,
        `pulumi preview --stack ${stack}`,
      ),
    };
  }
}

/** @param resources of a preview, where there is one */
export async function examineStack(settings: Settings, resources?: PlannedResource[]): Promise<Located[]> {
  const here = [well("settings", "every one keeps its rule"), engineOf(await pulumiVersion())].map(
    (finding): Located => ({ cluster: null, ...finding }),
  );
  const places = placesOf(settings);
  // A preview does not say in which of several clusters an object is.
  const known = places.length === 1 ? resources : undefined;
  const found = await Promise.all(
    places.map(async (place) =>
      (await examine(app, { ...settings, ...place }, known)).map((finding): Located => ({
        cluster: place.together?.name ?? null,
        ...finding,
      })),
    ),
  );
  return [...here, ...found.flat()];
}

export function codeOf(findings: Finding[]): number {
  return findings.some(({ state }) => state === "broken" || state === "unknown")
    ? exitCodes.findings
    : exitCodes.clean;
}

function engineOf(version: string | undefined): Finding {
  return version === undefined
    ? broken("engine", noPulumi.rule, noPulumi.next)
    : well("engine", `pulumi ${version}`);
}

/** As kubectl takes them. Whom they are for is up to whoever applies them. */
function rolesText(settings: Settings): string {
  const name = `bluegreen-release-${settings.namespace}`;
  return rolesFor(app, settings)
    .map(({ namespace, rules }) =>
      stringify({
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: namespace === undefined ? "ClusterRole" : "Role",
        metadata: { name, ...(namespace !== undefined && { namespace }) },
        rules,
      }),
    )
    .join("---\n")
    .trimEnd();
}
