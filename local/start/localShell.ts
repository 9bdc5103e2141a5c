/** Imported for what it does: sets what a shell would have exported for the stack of the local stage, unless it names another one. */
import { existsSync } from "node:fs";
import { layout } from "../cluster/layout";
import { localHome, stackEnvironment } from "./home";

if (process.env["PULUMI_BACKEND_URL"] === undefined && existsSync(localHome().folder)) {
  // A passphrase in the environment is another stack's, and would win over the file.
  delete process.env["PULUMI_CONFIG_PASSPHRASE"];
  Object.assign(process.env, { KUBECONFIG: layout().kubeconfig, ...stackEnvironment(localHome()) });
}
