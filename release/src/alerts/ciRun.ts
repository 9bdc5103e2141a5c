import type { Link } from "./alert.js";

/** The CI run that this process is a part of, for whoever wants to read its log; none outside of CI. */
export function linksToRun(env: NodeJS.ProcessEnv = process.env): Link[] {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, CI_JOB_URL } = env;
  if (GITHUB_SERVER_URL !== undefined && GITHUB_REPOSITORY !== undefined && GITHUB_RUN_ID !== undefined) {
    return [
      { text: "CI run", url: `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}` },
    ];
  }
  return CI_JOB_URL === undefined ? [] : [{ text: "CI job", url: CI_JOB_URL }];
}
