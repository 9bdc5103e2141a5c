# What the commands of this folder work on, and how they refuse; they source it.
set -euo pipefail

# What was refused, why, and what to do.
refuse() {
  printf '%s\n  why:  %s\n  next: %s\n' "$@" >&2
  exit 1
}

# Quoted, so that what somebody else has written is neither a sequence for the terminal nor a command for the runner.
quoted() {
  printf '%q' "$1"
}

# The branch that config is on. It is protected, and no variable of a job names another one.
branch=main

# As Pulumi names stacks: it becomes a part of a file's name.
[[ ${STACK:-} =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$ ]] ||
  refuse "STACK=$(quoted "${STACK:-}") was refused" "a stack's name is 1 to 100 letters, digits, - _ and ., and begins with none of - and ." "name a stack of this project in the pipeline's file: STACK: production"
file="Pulumi.$STACK.yaml"
# The commit that this job's config is from. Of this job alone: a runner may keep its folder for another one.
taken="refs/config/${CI_JOB_ID:-${GITHUB_RUN_ID:-0}-${GITHUB_RUN_ATTEMPT:-0}-${GITHUB_JOB:-0}}"

# Fetches the branch, with the options of git fetch that are given. Its newest commit is FETCH_HEAD then.
fetch_branch() {
  git fetch --quiet "$@" origin "refs/heads/$branch" ||
    refuse "$branch was not fetched from origin" "git says why, above" "where the branch is gone, bring it back; where the server did not answer, run this job again"
}
