import { hostname, userInfo } from "node:os";
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

/**
 * Who does this, for the others who have to wait or want to know: a person and a process, or a person and a
 * CI run.
 */
export function holderName(env: NodeJS.ProcessEnv = process.env): string {
  const { GITHUB_ACTOR, GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, GITLAB_USER_LOGIN, CI_JOB_URL } =
    env;
  if (
    GITHUB_ACTOR !== undefined &&
    GITHUB_SERVER_URL !== undefined &&
    GITHUB_REPOSITORY !== undefined &&
    GITHUB_RUN_ID !== undefined
  ) {
    return `${GITHUB_ACTOR}, ${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  }
  if (GITLAB_USER_LOGIN !== undefined && CI_JOB_URL !== undefined)
    return `${GITLAB_USER_LOGIN}, ${CI_JOB_URL}`;
  return `${userName(env)}@${hostname()} pid ${process.pid}`;
}

/** The account that this process runs as. */
function userName({ USER }: NodeJS.ProcessEnv = process.env): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may be a number that no file knows.
    return USER ?? `user ${process.getuid?.() ?? "unknown"}`;
  }
}
