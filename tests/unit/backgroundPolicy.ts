import { expect } from "chai";
import type { Recorder } from "./recorder";

/** Workers and the pods of CronJobs have one policy together, where there are any. */
export function expectUnreached(recorder: Recorder): void {
  const { spec } = recorder.one(
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "chatgpt-app-blue-workers-network",
  ).inputs as { spec: Record<string, unknown> };
  expect(spec).to.deep.include({
    podSelector: {
      matchLabels: { "app.kubernetes.io/name": "chatgpt-app", version: "blue" },
      matchExpressions: [{ key: "bluegreen.dev/worker", operator: "Exists" }],
    },
    ingress: [],
  });
}
