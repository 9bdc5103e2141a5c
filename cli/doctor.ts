import { Command } from "commander";
import { stringify } from "yaml";
import { examine } from "@bluegreen/release/doctor/doctor";
import { broken, well, type Finding } from "@bluegreen/release/doctor/finding";
import { rolesFor } from "@bluegreen/release/doctor/rights";
import { placesOf, type Settings } from "@bluegreen/release/settings/settings";
import { exitCodes } from "./exitCodes";
import { findingsText } from "./findingsText";
import { noPulumi, pulumiVersion } from "./pulumi/ask";
import { readAllSettings } from "./stackConfig";
import { stackOption } from "./stackOption";

interface Options {
  stack: string;
  json: boolean;
  rights: boolean;
}

const help = `
Asks the cluster and the database for all that a release of this stack needs, and changes nothing in any of
them. Each finding comes with what to do about it.

Examples:
  npm run bluegreen -- doctor
  npm run --silent bluegreen -- doctor --rights | kubectl apply -f -

Exit codes: 0 nothing is broken, 1 something is, or could not be looked at, 2 the command itself was wrong, or a setting breaks its rule.`;

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("Looks whether a release would find what it needs: settings, cluster, rights, Secrets, way in, certificate, metrics, database.")
    .addOption(stackOption())
    .option("--rights", "print the roles that an update needs, for kubectl, and nothing else", false)
    .option("--json", "for programs", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, json, rights }: Options): Promise<void> {
  const settings = await readAllSettings(stack);
  if (rights) {
    console.log(rolesText(settings));
    return;
  }
  const findings = await examineStack(settings);
  console.log(json ? JSON.stringify({ findings }, null, 2) : findingsText(findings));
  process.exitCode = codeOf(findings);
}

/** A finding, and of several clusters the one that it is about. */
export type Located = Finding & { cluster: string | null };

export async function examineStack(settings: Settings): Promise<Located[]> {
  const here = [well("settings", "every one keeps its rule"), engineOf(await pulumiVersion())].map((finding): Located => ({ cluster: null, ...finding }));
  const places = placesOf(settings);
  const found = await Promise.all(places.map(async (place) => (await examine({ ...settings, ...place })).map((finding): Located => ({ cluster: place.together?.name ?? null, ...finding }))));
  return [...here, ...found.flat()];
}

export function codeOf(findings: Finding[]): number {
  return findings.some(({ state }) => state === "broken" || state === "unknown") ? exitCodes.findings : exitCodes.clean;
}

function engineOf(version: string | undefined): Finding {
  return version === undefined ? broken("engine", noPulumi.rule, noPulumi.next) : well("engine", `pulumi ${version}`);
}

/** As kubectl takes them. Whom they are for is up to whoever applies them. */
function rolesText(settings: Settings): string {
  const name = `bluegreen-release-${settings.namespace}`;
  return rolesFor(settings)
    .map(({ namespace, rules }) => stringify({ apiVersion: "rbac.authorization.k8s.io/v1", kind: namespace === undefined ? "ClusterRole" : "Role", metadata: { name, ...(namespace !== undefined && { namespace }) }, rules }))
    .join("---\n")
    .trimEnd();
}
