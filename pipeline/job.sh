# What the commands of this folder work on; they source it.
set -euo pipefail

branch=${CONFIG_BRANCH:-main}
file="Pulumi.$STACK.yaml"
# The commit that this job's config is from. Of this job alone: a runner may keep its folder for another one.
taken="refs/config/${CI_JOB_ID:-${GITHUB_RUN_ID:-0}-${GITHUB_RUN_ATTEMPT:-0}-${GITHUB_JOB:-0}}"
