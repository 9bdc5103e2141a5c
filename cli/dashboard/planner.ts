import { messageOf } from "@bluegreen/release";
import { whyNotNow } from "../../pages/dashboard/state";
import { makePlan } from "../makePlan";
import { planRows } from "../planText";
import type { Board } from "./board";

/** Makes a plan of the next update, from a real preview. @returns why it does not; undefined: it has begun */
export function startPlan(stack: string, board: Board): string | undefined {
  if (board.state.plan?.state === "running") return "A plan is being made already.";
  // Config is about to be another one.
  const refusal = whyNotNow(board.state, "switch");
  if (refusal !== undefined) return refusal;
  const startedAt = new Date().toISOString();
  board.tell({ type: "plan", plan: { state: "running", startedAt } });
  makePlan(stack).then(
    (plan) => {
      board.tell({
        type: "plan",
        plan: { state: "made", startedAt, rows: planRows(plan), isRefused: plan.refused.length > 0 },
      });
    },
    (error: unknown) => {
      board.tell({ type: "plan", plan: { state: "failed", startedAt, why: messageOf(error) } });
    },
  );
  return undefined;
}
