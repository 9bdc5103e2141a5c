import type { Cluster } from "../kubernetes/cluster.js";
import { readLogLine } from "../kubernetes/logLine.js";
import { statusOf } from "../util/mayPass.js";
import type { NamespacedName } from "../app/namespaces.js";

/** Of one request: what writes more than that in a second is not followed line by line. */
const linesMax = 1000;

/** Follows the log of one container of a pod: each request gives the lines since the one before. */
export class JobLog {
  private last = "";
  private readAt: number | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly pod: NamespacedName,
    private readonly container: string,
    private readonly onLine: (line: string) => void,
  ) {}

  /** Reads on. A container that has not started, or is gone, has nothing to read. */
  async read(): Promise<void> {
    const startedAt = performance.now();
    // Of whole seconds, and more for the way there: lines that come again are known by their time.
    const since =
      this.readAt === undefined ? {} : { sinceSeconds: Math.ceil((startedAt - this.readAt) / 1000) + 2 };
    const text = await this.cluster.core
      .readNamespacedPodLog({
        ...this.pod,
        container: this.container,
        timestamps: true,
        tailLines: linesMax,
        ...since,
      })
      .catch((error: unknown) => {
        const status = statusOf(error);
        if (status === 400 || status === 404) return undefined;
        throw error;
      });
    if (text === undefined) return;
    this.readAt = startedAt;
    for (const each of text.split("\n")) {
      const line = readLogLine(each);
      if (line === undefined || line.time <= this.last) continue;
      this.last = line.time;
      this.onLine(line.text);
    }
  }
}
