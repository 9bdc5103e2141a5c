/**
 * In the place of node:child_process in the analysis controller's bundle: what it goes by comes from a cluster, where
 * others write, too.
 */
function refuse(): never {
  throw new Error("the analysis controller runs no command");
}

export { refuse as spawn };
export default { spawn: refuse, spawnSync: refuse, execSync: refuse };
