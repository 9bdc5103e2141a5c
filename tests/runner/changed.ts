import { execFileSync } from "node:child_process";
import { repositoryDir } from "../../local/paths";
import { Imports } from "./imports";
import { filesOf, suites } from "./suites";

/** Where the steps that an update runs stand: a test that names one runs it in a process of its own. */
const registry = "release/src/steps/registry.ts";

/**
 * What the whole program is made of: the one story of a release from its first update to its end runs all of
 * it.
 */
const program = ["index.ts", "Pulumi.yaml", "components/", "release/", "migrations/", "app/", "cli/pulumi/"];
const story = "tests/e2e/release.test.ts";

/**
 * What the other stories are about, beside the whole program, as beginnings of paths. A gate is the subject of
 * one story at most, so that a change of it is tested in minutes. Long stories that are missing here, such as
 * tests/failing/analyzedApps.test.ts with its 17 minutes, run before a release.
 */
export const subjects: Record<string, readonly string[]> = {
  "tests/e2e/cli.test.ts": ["cli/"],
  "tests/failing/gates.test.ts": [
    "release/src/gates/pod",
    "release/src/gates/rollout",
    "release/src/gates/schemaGate",
    "release/src/gates/smoke",
    "release/src/gates/suite",
    "release/src/gates/switchGate",
  ],
  "tests/failing/selfMigrating.test.ts": [
    "release/src/releases/guardedColor",
    "release/src/releases/liveGuard",
    "release/src/releases/liveHarm",
    "release/src/state/harm",
  ],
  "tests/changes/activeColorFile.test.ts": [
    "release/src/workers/activeColorFile",
    "components/activeColorFile",
  ],
  "tests/changes/byHand.test.ts": [
    "release/src/state/appImage",
    "release/src/capacity/other",
    "components/keptImage",
  ],
  "tests/changes/configPerRelease.test.ts": ["components/colorConfig"],
  "tests/changes/cronJobs.test.ts": ["release/src/workers/cronJobs", "components/colorCronJobs"],
  "tests/changes/cronJobsSteps.test.ts": ["release/src/workers/cronJobs", "release/src/kubernetes/cronJob"],
  "tests/changes/liveChange.test.ts": ["release/src/gates/preflight"],
  "tests/changes/replaced.test.ts": ["release/src/state/replaced"],
  "tests/changes/workers.test.ts": ["release/src/releases/workers", "components/colorWorkers"],
  "tests/changes/workersSteps.test.ts": [
    "release/src/gates/worker",
    "release/src/releases/workers",
    "release/src/workers/activeWorkers",
    "release/src/workers/followers",
  ],
  "tests/databases/contract.test.ts": [
    "release/src/migrations/contract",
    "release/src/migrations/switch",
    "release/src/migrations/versions",
  ],
  "tests/databases/logicalReplication.test.ts": [
    "release/src/replication/database",
    "release/src/replication/logicalReplication/",
  ],
  "tests/databases/replica.test.ts": ["release/src/replication/database", "release/src/replication/replica/"],
  "tests/databases/runIn.test.ts": ["release/src/relay/", "components/databaseRelay"],
  "tests/databases/runInRelease.test.ts": ["release/src/relay/", "components/databaseRelay"],
  "tests/traffic/drain.test.ts": ["release/src/drain/", "app/src/drain"],
  "tests/traffic/isolation.test.ts": [
    "release/src/capacity/scale",
    "components/colorAutoscaler",
    "components/isolation",
    "components/networkPolicies",
  ],
  "tests/traffic/namespaces.test.ts": ["release/src/app/color"],
  "tests/traffic/prometheus.test.ts": [
    "release/src/analysis/prometheus",
    "release/src/analysis/requestMetrics",
  ],
  "tests/traffic/shift.test.ts": ["cli/shift"],
  "tests/faults/killed.test.ts": ["release/src/routers/services.ts", "components/activeService.ts"],
  "tests/faults/locks.test.ts": ["release/src/state/releaseLock.ts", "release/src/releases/liveLock.ts"],
  "tests/faults/analysis.test.ts": [
    "release/src/analysis/",
    "release/src/releases/",
    "release/src/rollback/",
  ],
  "tests/failing/controller.test.ts": ["controller/", "components/analysisController.ts", "cli/rollback"],
  "tests/routes/traefik.test.ts": ["release/src/routers/", "release/src/traffic/", "components/appRoute.ts"],
  "tests/otherRoutes/rendered.test.ts": [
    "release/src/routers/",
    "release/src/traffic/",
    "components/appRoute.ts",
  ],
  "tests/otherRoutes/gateway.test.ts": ["release/src/routers/gateway", "release/src/routers/routedRequests"],
  "tests/otherRoutes/nginx.test.ts": ["release/src/routers/nginx"],
  "tests/pipeline/pipeline.test.ts": ["pipeline/", ".github/"],
  "tests/usage/doctor.test.ts": ["release/src/doctor/", "cli/doctor"],
  "tests/usage/example.test.ts": ["examples/shop/"],
  "tests/apps/orders.test.ts": ["examples/orders/"],
  "tests/apps/verdaccio.test.ts": ["examples/verdaccio/"],
  "tests/usage/podTemplate.test.ts": ["release/src/config/podTemplate/", "release/src/gates/pod"],
  "tests/pages/pages.test.ts": ["pages/", "cli/dashboard", "cli/report", "release/src/releases/status"],
  "tests/start/start.test.ts": ["local/"],
};

/** What nobody here depends on by more than its text, which has a test of its own. */
const texts = /\.md$|^docs\/|^LICENSE$/;

/** @param since a commit; what is not committed counts */
export function changedFiles(since: string): string[] {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: repositoryDir, encoding: "utf8" })
      .split("\0")
      .filter((path) => path !== "");
  return [
    ...new Set([
      ...git("diff", "--name-only", "-z", since, "--"),
      ...git("ls-files", "--others", "--exclude-standard", "-z"),
    ]),
  ];
}

/** The stories whose subject a file is. */
export function storiesAbout(path: string): string[] {
  return Object.entries(subjects)
    .filter(([, paths]) => paths.some((each) => path.startsWith(each)))
    .map(([file]) => file);
}

/**
 * The test files that a change of these can break: those that load one of them, those that run a step which
 * does, and those whose subject they are. A story that has subjects loads more of the program than it is
 * about, to bring about what it needs and to look at it. Of what none of them is known to depend on, all that
 * run for every change.
 */
export function brokenBy(changed: readonly string[]): Set<string> {
  const everyChange = suites.filter(({ long }) => long !== true).flatMap(filesOf);
  const imports = new Imports(registry);
  const steps = imports.named;
  const reached = new Map(
    everyChange.map((file) => [
      file,
      new Set([
        ...imports.reach(file),
        ...imports.namedIn(file, steps).flatMap((module) => [...imports.reach(module)]),
      ]),
    ]),
  );
  const broken = new Set<string>();
  for (const path of changed) {
    if (texts.test(path)) {
      for (const file of everyChange.filter((each) => each.startsWith("tests/unit/docs"))) broken.add(file);
      continue;
    }
    const isOfProgram = program.some((each) => path.startsWith(each));
    const loading = everyChange.filter(
      (file) => reached.get(file)?.has(path) && !(isOfProgram && file in subjects),
    );
    const found = [...loading, ...storiesAbout(path), ...(isOfProgram ? [story] : [])];
    for (const file of found.length > 0 ? found : everyChange) broken.add(file);
  }
  return broken;
}
