import { z } from "zod";
import { messageOf } from "@bluegreen/release/refusal";
import { resourceAt } from "@bluegreen/release/releases/plan";
import type { Gates, PassedGate } from "../pages/views";
import { Stack } from "./pulumi/stack";

/** What of `pulumi stack export` it takes. */
const exportSchema = z.object({ deployment: z.object({ resources: z.array(z.object({ urn: z.string(), outputs: z.record(z.string(), z.unknown()).default({}) })).default([]) }) });

const word = { count: z.number(), text: z.string(), ids: z.array(z.string()) };

interface GateKind {
  title: string;
  /** Of its outputs. @throws what makes no sense of them */
  result: (outputs: Record<string, unknown>) => string;
}

/** The steps that decide something, in the order in which they are passed. */
const kinds: Record<string, GateKind> = {
  CapacityGate: { title: "room for both colors", result: () => "there is" },
  Migrations: {
    title: "migrations",
    result: (outputs) => {
      const { schemaVersion, applied } = z.object({ schemaVersion: word.text, applied: word.ids }).parse(outputs);
      return `schema ${schemaVersion}, ${applied.length === 0 ? "nothing was to apply" : `applied ${applied.join(", ")}`}`;
    },
  },
  Rollout: { title: "rollout", result: (outputs) => `${z.object({ readyReplicas: word.count }).parse(outputs).readyReplicas} pods ready` },
  SchemaGate: {
    title: "schema gate",
    result: (outputs) => {
      const { needs, knows } = z.object({ needs: word.text, knows: word.text }).parse(outputs);
      return `the version needs ${needs}, and knows ${knows}`;
    },
  },
  SmokeGate: {
    title: "smoke gate",
    result: (outputs) => {
      const { passedTests } = z.object({ passedTests: word.count }).parse(outputs);
      return passedTests === 0 ? "not run: these pods had just served users" : `${passedTests} tests passed`;
    },
  },
  SwitchGate: { title: "gate of the switch", result: (outputs) => `let switch ${z.object({ switchId: word.text }).parse(outputs).switchId} through` },
  Watch: { title: "watch", result: (outputs) => z.object({ verdict: word.text }).parse(outputs).verdict || "there was nothing to watch" },
  Drain: {
    title: "drain",
    result: (outputs) => {
      const { drainedSeconds, connectionsLeft } = z.object({ drainedSeconds: word.count, connectionsLeft: word.count }).parse(outputs);
      return `took ${Number(drainedSeconds.toFixed(1))} s, ${connectionsLeft === 0 ? "no connection was left" : `${connectionsLeft} connections were left`}`;
    },
  },
  Contract: {
    title: "contract migrations",
    result: (outputs) => {
      const { applied } = z.object({ applied: word.ids }).parse(outputs);
      return applied.length === 0 ? "nothing was to apply" : `applied ${applied.join(", ")}`;
    },
  },
};

/** What each gate came to when it was last passed, from the stack's state. It is a part of what is shown: where it cannot be read, that is shown. */
export async function readGates(stack: string): Promise<Gates> {
  try {
    return gatesIn(await (await Stack.open({ name: stack })).exportDeployment());
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
}

/** @param exported by `pulumi stack export` */
export function gatesIn(exported: unknown): Gates {
  const parsed = exportSchema.safeParse(exported);
  if (!parsed.success) return { unreadable: "pulumi stack export gave something else than a state" };
  const order = Object.keys(kinds);
  const found = parsed.data.deployment.resources.map(({ urn, outputs }) => ({ ...resourceAt(urn), outputs }));
  const passed = found
    .toSorted((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind))
    .flatMap(({ kind, name, cluster, outputs }): PassedGate[] => {
      const known = kinds[kind];
      if (known === undefined) return [];
      const color = /-(blue|green)-/.exec(name)?.[1];
      return [{ gate: `${cluster === undefined ? "" : `${cluster}: `}${known.title}${color === undefined ? "" : ` of ${color}`}`, result: resultOf(known, outputs) }];
    });
  return { passed };
}

/** A state that another version has written may lack it. */
function resultOf({ result }: GateKind, outputs: Record<string, unknown>): string {
  try {
    return result(outputs);
  } catch (error) {
    if (error instanceof z.ZodError) return "the state does not say";
    throw error;
  }
}
