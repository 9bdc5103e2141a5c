import { getProject } from "@pulumi/pulumi";
import { BlueGreenApp, configArgs } from "@bluegreen/components";

const args = configArgs(getProject());
/** Not config: the settings are those of one app, as everywhere. */
const count = Number(process.env["BLUEGREEN_BENCH_APPS"]);

for (let index = 0; index < count; index++)
  new BlueGreenApp(`app-${index}`, { ...args, namespace: `${args.namespace ?? ""}-${index}` });
