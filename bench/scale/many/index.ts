import { BlueGreenApp } from "../../../components/blueGreenApp";
import { readSettings } from "../../../components/settings";

const settings = readSettings();
/** Not config: the settings are those of one app, as everywhere. */
const count = Number(process.env["BLUEGREEN_BENCH_APPS"]);

for (let index = 0; index < count; index++) new BlueGreenApp(`app-${index}`, { ...settings, namespace: `${settings.namespace}-${index}` });
