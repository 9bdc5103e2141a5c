import { expect } from "chai";
import { applyTemplate, composeTemplates } from "@bluegreen/release/config/podTemplate/strategicMerge";
import type { Fields } from "@bluegreen/release/util/json";

const app = (part: Fields = {}) => ({ name: "app", image: "app:1", ...part });
const pod = (...containers: Fields[]) => ({ spec: { containers } });

/** What is merged over what, and what comes of it. */
const cases: [says: string, base: Fields, patch: Fields, merged: Fields][] = [
  [
    "containers by their names, in the patch's order",
    pod(app(), { name: "own" }),
    pod({ name: "proxy" }, { name: "app", command: ["run"] }),
    pod({ name: "own" }, { name: "proxy" }, app({ command: ["run"] })),
  ],
  [
    "init containers, their variables by names",
    { spec: { initContainers: [{ name: "wait", env: [{ name: "A", value: "1" }] }] } },
    { spec: { initContainers: [{ name: "wait", env: [{ name: "B", value: "2" }] }] } },
    {
      spec: {
        initContainers: [
          {
            name: "wait",
            env: [
              { name: "A", value: "1" },
              { name: "B", value: "2" },
            ],
          },
        ],
      },
    },
  ],
  [
    "a variable whole: it has one source",
    pod(app({ env: [{ name: "URL", value: "x" }] })),
    pod({ name: "app", env: [{ name: "URL", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }] }),
    pod(app({ env: [{ name: "URL", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }] })),
  ],
  [
    "ports by number and protocol, TCP where none is said",
    pod(app({ ports: [{ name: "http", containerPort: 80, protocol: "TCP" }] })),
    pod({
      name: "app",
      ports: [
        { containerPort: 80, hostPort: 80 },
        { containerPort: 80, protocol: "UDP" },
      ],
    }),
    pod(
      app({
        ports: [
          { name: "http", containerPort: 80, protocol: "TCP", hostPort: 80 },
          { containerPort: 80, protocol: "UDP" },
        ],
      }),
    ),
  ],
  [
    "volumes by name and mounts by path, each whole",
    {
      spec: {
        volumes: [{ name: "tmp", emptyDir: {} }],
        containers: [app({ volumeMounts: [{ name: "tmp", mountPath: "/tmp" }] })],
      },
    },
    {
      spec: {
        volumes: [{ name: "tmp", hostPath: { path: "/tmp" } }],
        containers: [
          {
            name: "app",
            volumeMounts: [
              { name: "tmp", mountPath: "/tmp", subPath: "a" },
              { name: "tmp", mountPath: "/b" },
            ],
          },
        ],
      },
    },
    {
      spec: {
        volumes: [{ name: "tmp", hostPath: { path: "/tmp" } }],
        containers: [
          app({
            volumeMounts: [
              { name: "tmp", mountPath: "/tmp", subPath: "a" },
              { name: "tmp", mountPath: "/b" },
            ],
          }),
        ],
      },
    },
  ],
  [
    "a probe, what stops a container, and resources whole",
    pod(
      app({
        livenessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 3 },
        lifecycle: { preStop: { sleep: { seconds: 5 } } },
        resources: { limits: { cpu: "1" } },
      }),
    ),
    pod({
      name: "app",
      livenessProbe: { tcpSocket: { port: 1 } },
      lifecycle: { preStop: { exec: { command: ["stop"] } } },
      resources: { requests: { cpu: "1" } },
    }),
    pod(
      app({
        livenessProbe: { tcpSocket: { port: 1 } },
        lifecycle: { preStop: { exec: { command: ["stop"] } } },
        resources: { requests: { cpu: "1" } },
      }),
    ),
  ],
  [
    "maps by field, and null takes one away",
    { spec: { securityContext: { runAsUser: 1, fsGroup: 1 }, dnsPolicy: "None" } },
    { spec: { securityContext: { fsGroup: null }, dnsPolicy: null, hostNetwork: true } },
    { spec: { securityContext: { runAsUser: 1 }, hostNetwork: true } },
  ],
  [
    "lists without keys whole",
    { spec: { tolerations: [{ key: "a" }], containers: [app({ args: ["a", "b"] })] } },
    { spec: { tolerations: [{ key: "b" }], containers: [{ name: "app", args: ["c"] }] } },
    { spec: { tolerations: [{ key: "b" }], containers: [app({ args: ["c"] })] } },
  ],
  [
    "spread by key and by what happens otherwise",
    { spec: { topologySpreadConstraints: [{ topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway" }] } },
    { spec: { topologySpreadConstraints: [{ topologyKey: "zone", maxSkew: 2 }] } },
    {
      spec: {
        topologySpreadConstraints: [
          { topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway" },
          { topologyKey: "zone", maxSkew: 2 },
        ],
      },
    },
  ],
  [
    "an entry that is ordered away, and a map and a list that are replaced",
    {
      spec: {
        hostAliases: [{ ip: "1" }, { ip: "2" }],
        volumes: [{ name: "a" }],
        securityContext: { fsGroup: 1 },
      },
    },
    {
      spec: {
        hostAliases: [{ ip: "1", $patch: "delete" }],
        volumes: [{ $patch: "replace" }, { name: "b" }],
        securityContext: { $patch: "replace", runAsUser: 2 },
      },
    },
    { spec: { hostAliases: [{ ip: "2" }], volumes: [{ name: "b" }], securityContext: { runAsUser: 2 } } },
  ],
];

describe("A pod template over another one", () => {
  for (const [says, base, patch, merged] of cases)
    it(`merges ${says}`, () => {
      expect(applyTemplate(base, patch)).to.deep.equal(merged);
    });

  it("comes to the same applied in two parts, and composed to one", () => {
    for (const [says, base, patch] of cases)
      for (const [, , other] of cases)
        expect(applyTemplate(base, composeTemplates(patch, other)), says).to.deep.equal(
          applyTemplate(applyTemplate(base, patch), other),
        );
    const gone = { spec: { securityContext: null, volumes: null } };
    const back = { spec: { securityContext: { fsGroup: 3 }, volumes: [{ name: "c" }] } };
    const base = { spec: { securityContext: { runAsUser: 1 }, volumes: [{ name: "a" }] } };
    expect(applyTemplate(base, composeTemplates(gone, back))).to.deep.equal(back);
  });
});
