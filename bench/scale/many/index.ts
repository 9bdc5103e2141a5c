import { getProject } from "@pulumi/pulumi";
import { release } from "@bluegreen/components/release";
import { readSettings } from "@bluegreen/components/settings";

const settings = readSettings(getProject());
/** Not config: the settings are those of one app, as everywhere. */
const count = Number(process.env["BLUEGREEN_BENCH_APPS"]);

for (let index = 0; index < count; index++) release(`app-${index}`, { ...settings, namespace: `${settings.namespace}-${index}` });
