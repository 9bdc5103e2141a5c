import { BlueGreenApp, configArgs } from "@bluegreen/components";

/** An app that others wrote: nothing of it was changed for this, and it knows nothing of colors. */
const name = "verdaccio";
const verdaccio = new BlueGreenApp(
  name,
  configArgs(name, {
    http: { port: 4873, livenessPath: "/-/ping", readinessPath: "/-/ping" },
    // It takes no orders to drain.
    connectionDrain: { timeoutSeconds: 0, port: 0 },
    smokeTests: "tests/smoke/*.ts",
    podTemplate: {
      spec: {
        containers: [{ name, volumeMounts: [{ name: "storage", mountPath: "/verdaccio/storage" }] }],
        // Pods of both colors have it at once: ReadWriteMany, or ReadWriteOnce where all are on one node.
        volumes: [{ name: "storage", persistentVolumeClaim: { claimName: "verdaccio-storage" } }],
      },
    },
  }),
);

export const { liveColor } = verdaccio;
