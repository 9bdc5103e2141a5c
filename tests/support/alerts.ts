import type { Alert, AlertKind } from "@bluegreen/release";

const told = {
  app: "chatgpt-app",
  namespace: "shop",
  who: "ada",
  why: "score 12 of 10",
  at: new Date("2026-03-01T03:00:00Z"),
  evidence: ["3 restarts", "p99 9.1 s"],
};
const blue = { color: "blue", image: "app:v1" } as const;
const green = { color: "green", image: "app:v2" } as const;

/** One of each kind, about green. */
export const someAlerts: { [Kind in AlertKind]: Extract<Alert, { kind: Kind }> } = {
  started: { ...told, kind: "started", from: blue, to: green },
  switched: { ...told, kind: "switched", from: blue, to: green },
  rolledBack: {
    ...told,
    kind: "rolledBack",
    from: green,
    to: blue,
    links: [{ text: "CI run", url: "https://ci.example.com/runs/1?a=1&b=2" }],
  },
  gateFailed: { ...told, kind: "gateFailed", gate: "smoke gate", version: green },
  contractDue: { ...told, kind: "contractDue", live: green, migrations: ["0005_drop_email"] },
};
