import { BlueGreenApp } from "@bluegreen/components";

const shop = new BlueGreenApp("shop", {
  host: "shop.example.com",
  http: { port: 8080, healthPath: "/healthz", readyPath: "/readyz" },
  // It asks nobody for anything, and takes no orders to drain.
  secretVariables: {},
  drain: { seconds: 0, port: 0 },
  smokeSuite: "tests/smoke/*.ts",
});

export const { liveColor, previewPassword, previewToken } = shop;
