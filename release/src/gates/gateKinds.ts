import type { Gate } from "../config/gates.js";
import { commandGate } from "./commandGate.js";
import type { GateKind } from "./gateKind.js";
import { jobGate } from "./jobGate.js";

/** By the part of a gate's settings that asks for it. */
const kinds = {
  command: commandGate,
  job: jobGate,
} satisfies Partial<Record<keyof Gate, GateKind>>;

/** Config lets a gate have one of them. */
export function kindOf({ job }: Gate): GateKind {
  return job === null ? kinds.command : kinds.job;
}
