import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { repositoryDir } from "../../local/paths";

/** Of .github/workflows, what the tests read. */
export interface Workflow {
  on: object;
  permissions?: object;
  concurrency?: { group: string; "cancel-in-progress"?: boolean };
  env?: Record<string, string>;
  jobs: Record<string, WorkflowJob>;
}

export interface WorkflowJob {
  if?: string;
  "timeout-minutes"?: number;
  permissions?: Record<string, string>;
  environment?: string;
  env?: Record<string, string>;
  steps: WorkflowStep[];
}

export interface WorkflowStep {
  id?: string;
  name?: string;
  if?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

export function readWorkflow(name: string): Workflow {
  return parse(readFileSync(join(repositoryDir, ".github/workflows", name), "utf8")) as Workflow;
}

/** Of .gitlab-ci.yml. A script of lists is one list to GitLab. */
export interface GitlabJob {
  extends?: string;
  timeout?: string;
  resource_group?: string;
  environment?: string | { name: string };
  rules?: object[];
  script: string[];
  after_script: string[];
}

/** Its jobs: what begins with a dot, and what GitLab knows by name, is none. */
export function readGitlabJobs(): Record<string, GitlabJob> {
  const file = parse(readFileSync(join(repositoryDir, ".gitlab-ci.yml"), "utf8")) as Record<
    string,
    Partial<Record<keyof GitlabJob, unknown>>
  >;
  return Object.fromEntries(
    Object.entries(file)
      .filter(([name]) => !name.startsWith(".") && !["workflow", "stages", "variables"].includes(name))
      .map(([name, job]) => [
        name,
        { ...job, script: flat(job.script), after_script: flat(job.after_script) } as GitlabJob,
      ]),
  );
}

function flat(script: unknown): string[] {
  return [script ?? []].flat(10) as string[];
}
