/**
 * Imported for what it does: sets what a shell would have exported for the stack of the dev cluster, where a
 * command is about that one.
 */
import { existsSync } from "node:fs";
import { layout } from "../cluster/layout";
import { localHome, stackEnvironment } from "./home";
import { isOfLocalStack } from "./localStack";

const home = localHome();

if (existsSync(home.folder) && isOfLocalStack(process.argv.slice(2), process.env, home)) {
  // A passphrase in the environment is another stack's, and would win over the file.
  delete process.env["PULUMI_CONFIG_PASSPHRASE"];
  Object.assign(process.env, { KUBECONFIG: layout().kubeconfig, ...stackEnvironment(home) });
  // On standard error: what a program reads stays as it is.
  console.error(`Stack ${home.stack}, of the dev cluster. --stack NAME for another.`);
}
