import { otherColor } from "@bluegreen/release/app/color";
import { BlueGreenApp } from "@bluegreen/components/blueGreenApp";
import { configArgs } from "@bluegreen/components/configArgs";

const name = "chatgpt-app";
const args = configArgs(name, {
  env: { REDIS_URL: "redis://redis:6379" },
  // The app reads its color from ENVIRONMENT.
  blue: { env: { ENVIRONMENT: "blue" } },
  green: { env: { ENVIRONMENT: "green" } },
});
const app = new BlueGreenApp(name, args);

export const { liveColor, schemaVersion, previewPassword, previewToken, clusters } = app;
export const idleColor = liveColor.apply((color) =>
  color === "blue" || color === "green" ? otherColor(color) : "none",
);
export const blueTag = args.blueTag ?? "none";
export const greenTag = args.greenTag ?? "none";
export const url = `https://${args.host}/`;
export const blueUrl = `https://${args.host}/blue/`;
export const greenUrl = `https://${args.host}/green/`;
