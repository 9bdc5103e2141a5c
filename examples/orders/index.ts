import { BlueGreenApp, configArgs } from "@bluegreen/components";

/** Its migrations are node-pg-migrate's; each order that it takes is a job for its worker. */
const name = "orders";
const orders = new BlueGreenApp(
  name,
  configArgs(name, {
    http: { port: 8080, livenessPath: "/healthz", readinessPath: "/readyz" },
    // Its requests are short: nobody has to be asked to leave.
    connectionDrain: { timeoutSeconds: 0, port: 0 },
    smokeTests: "tests/smoke/*.ts",
  }),
);

export const { liveColor } = orders;
