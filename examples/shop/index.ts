import { BlueGreenApp, configArgs } from "@bluegreen/components";

const name = "shop";
const shop = new BlueGreenApp(
  name,
  configArgs(name, {
    host: "shop.example.com",
    http: { port: 8080, livenessPath: "/healthz", readinessPath: "/readyz" },
    // It takes no orders to drain.
    connectionDrain: { timeoutSeconds: 0, port: 0 },
    smokeTests: "tests/smoke/*.ts",
  }),
);

export const { liveColor, previewPassword, previewToken } = shop;
