import { hostname, userInfo } from "node:os";

/** Who releases: `BLUEGREEN_WHO`, the user that a CI system names, or user@host. */
export function whoami(): string {
  const { BLUEGREEN_WHO, GITHUB_ACTOR, GITLAB_USER_LOGIN } = process.env;
  return oneLine(BLUEGREEN_WHO ?? GITHUB_ACTOR ?? GITLAB_USER_LOGIN ?? `${userName()}@${hostname()}`);
}

/** Why: `BLUEGREEN_WHY`, or the commit that a CI system runs for. */
export function whyOf(fallback: string): string {
  const { BLUEGREEN_WHY, GITHUB_SHA, CI_COMMIT_SHA } = process.env;
  const commit = GITHUB_SHA ?? CI_COMMIT_SHA;
  return oneLine(BLUEGREEN_WHY ?? (commit === undefined ? fallback : `${fallback}, commit ${commit.slice(0, 12)}`));
}

/** Containers often run as a number that no account has. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.() ?? "unknown")}`;
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 200);
}
