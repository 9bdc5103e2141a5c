import { expect } from "chai";
import { keysOf } from "@bluegreen/release/kubernetes/jsonPointer";
import type { Way } from "@bluegreen/release/routers/router";

export const app = "chatgpt-app";

/** The ingress of an app, where a test says nothing else. */
export function way(part: Partial<Way<string>> = {}): Way<string> {
  return {
    app,
    namespace: "shop",
    namespacePerColor: false,
    host: "app.example.com",
    moreHosts: [],
    tlsSecret: "chatgpt-app-tls",
    otherPaths: [],
    servicePort: 80,
    readinessPath: "/ready",
    internalHost: undefined,
    ingressClass: undefined,
    clusterIssuer: undefined,
    gateway: { namespace: "edge", name: "main", listener: "https" },
    strategy: "weighted",
    affinity: "none",
    active: "blue",
    weights: { blue: 90, green: 10 },
    token: "hunter2",
    interpolate: (literals, ...values) => String.raw({ raw: literals }, ...values),
    ...part,
  };
}

/** The few operations that the patches of a route use. */
export function apply(object: unknown, patch: { op: string; path: string; value?: unknown }[]): unknown {
  const copy: unknown = structuredClone(object);
  for (const { op, path, value } of patch) {
    const keys = keysOf(path);
    const last = keys.pop() ?? "";
    const parent = keys.reduce((at, key) => (at as Record<string, unknown>)[key], copy) as Record<
      string,
      unknown
    >;
    if (op === "test") expect(parent[last], path).to.deep.equal(value);
    else parent[last] = value;
  }
  return copy;
}
