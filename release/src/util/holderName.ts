import { hostname, userInfo } from "node:os";

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
export function userName({ USER }: NodeJS.ProcessEnv = process.env): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may be a number that no file knows.
    return USER ?? `user ${process.getuid?.() ?? "unknown"}`;
  }
}
