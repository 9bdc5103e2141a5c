import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { z } from "zod";
import type { ClusterRef } from "@bluegreen/release";
import type { AnalysisTarget } from "@bluegreen/release/analysis/observation";
import { repositoryDir, typescript } from "../../local/paths";
import type { CountedApi, RequestCounts } from "../../local/testing/countedApi";

/** What a part of the analysis has cost its process: the time it took, and its memory at the most until then. */
const partCost = z.object({ seconds: z.number(), cpuSeconds: z.number(), peakMiB: z.number() });
export type PartCost = z.output<typeof partCost>;

export interface AnalysisCost {
  /** Taken once, before traffic moves. */
  baseline: PartCost & { requests: RequestCounts };
  /** One of those that follow, every 30 s unless config says otherwise. */
  observation: PartCost & { requests: RequestCounts };
}

/** Reads the pods of a color as the analysis does. @throws Error when a pod does not answer */
export async function measureAnalysis(
  api: CountedApi,
  where: ClusterRef,
  target: AnalysisTarget,
): Promise<AnalysisCost> {
  api.take();
  const child = fork(join(__dirname, "observation.ts"), [JSON.stringify(where), JSON.stringify(target)], {
    cwd: repositoryDir,
    execArgv: ["-r", typescript],
    env: { ...process.env, KUBECONFIG: api.kubeconfig },
  });
  const part = async () => {
    const cost = await answerOf(child);
    return { ...cost, requests: api.take() };
  };
  const baseline = await part();
  child.send("on");
  const observation = await part();
  return { baseline, observation };
}

async function answerOf(child: ReturnType<typeof fork>): Promise<PartCost> {
  const ended = new AbortController();
  const failed = once(child, "exit", { signal: ended.signal }).then(([code]: unknown[]) => {
    throw new Error(`the process that reads the pods ended with ${String(code)}`);
  });
  try {
    const [message] = (await Promise.race([
      once(child, "message", { signal: ended.signal }),
      failed,
    ])) as unknown[];
    return partCost.parse(message);
  } finally {
    ended.abort();
    failed.catch(() => undefined);
  }
}
