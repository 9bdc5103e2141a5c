/**
 * What becomes of a request. A status: it is refused. "nothing": it is taken, and that is all. "lost": the
 * connection ends before it is taken. "dropped": it is done, and the connection ends before the answer.
 * "late": it is done and never answered. "slow": it is done so much later that nobody waits for it any more.
 */
export type Trouble = number | "nothing" | "lost" | "dropped" | "late" | "slow";

/** What it says where it is made to refuse something. */
export const refusedText = "simulated: refused as asked for";
