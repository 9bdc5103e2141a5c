import "@bluegreen/components/plainStackTraces";
import { otherColor } from "@bluegreen/release/color";
import { release } from "@bluegreen/components/release";
import { readSettings } from "@bluegreen/components/settings";

const name = "chatgpt-app";
const settings = readSettings(name);
const app = release(name, settings);

export const liveColor = app.liveColor;
export const idleColor = app.liveColor.apply((color) => (color === "blue" || color === "green" ? otherColor(color) : "none"));
export const blueTag = settings.colors.blue.tag ?? "none";
export const greenTag = settings.colors.green.tag ?? "none";
export const schemaVersion = app.schemaVersion;
export const url = `https://${settings.host}/`;
export const blueUrl = `https://${settings.host}/blue/`;
export const greenUrl = `https://${settings.host}/green/`;
export const previewPassword = app.previewPassword;
export const previewToken = app.previewToken;
export const clusters = app.clusters;
