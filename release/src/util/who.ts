import { hostname } from "node:os";
import { userName } from "./holderName.js";
import { shown } from "./shown.js";

/** Who releases: `BLUEGREEN_WHO`, the user that a CI system names, or user@host. */
export function whoami(env: NodeJS.ProcessEnv = process.env): string {
  const { BLUEGREEN_WHO, GITHUB_ACTOR, GITLAB_USER_LOGIN } = env;
  return oneLine(BLUEGREEN_WHO ?? GITHUB_ACTOR ?? GITLAB_USER_LOGIN ?? `${userName(env)}@${hostname()}`);
}

/** Why: `BLUEGREEN_WHY`, or the commit that a CI system runs for. */
export function whyOf(fallback: string, env: NodeJS.ProcessEnv = process.env): string {
  const { BLUEGREEN_WHY, GITHUB_SHA, CI_COMMIT_SHA } = env;
  const commit = GITHUB_SHA ?? CI_COMMIT_SHA;
  return oneLine(
    BLUEGREEN_WHY ?? (commit === undefined ? fallback : `${fallback}, commit ${commit.slice(0, 12)}`),
  );
}

/** It is kept in the cluster, and read where this program does not show it. */
function oneLine(text: string): string {
  return shown(text).replaceAll(/\s+/g, " ").trim().slice(0, 200);
}
