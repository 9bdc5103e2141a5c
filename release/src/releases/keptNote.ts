import { percent } from "../analysis/summary.js";
import { toldRequests, type Traffic } from "../analysis/traffic.js";
import type { Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { serverTime } from "../kubernetes/requests.js";
import { describeRun, writeLiveNote, type LiveNote } from "../state/liveNote.js";
import { messageOf } from "../util/userError.js";
import type { Say } from "../util/step.js";

/** While nothing happens. */
const writeEveryMs = 15_000;

/** What is kept of the live color while it is observed. Where it cannot be written, that is said, and no more. */
export class KeptNote {
  private note: LiveNote;
  private readonly startedAt = performance.now();
  private readonly seen = { measured: false, requests: 0, told: 0, errors: 0 };
  private writtenAt = -Infinity;
  /** One after the other: an older one must not come last. */
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly cluster: Cluster,
    private readonly app: string,
    color: Color,
    private readonly from: Date,
    private readonly say: Say,
  ) {
    const at = from.toISOString();
    this.note = {
      color,
      from: at,
      at,
      state: "observing",
      requests: null,
      errorRatio: null,
      runs: [],
      reason: "",
      evidence: [],
    };
  }

  static async begin(cluster: Cluster, app: string, color: Color, say: Say): Promise<KeptNote> {
    return new KeptNote(cluster, app, color, await serverTime(cluster).catch(() => new Date()), say);
  }

  /** What was answered between two samples. */
  add(traffic: Traffic): void {
    if (traffic.measuredPods === 0) return;
    const { seen } = this;
    seen.measured = true;
    seen.requests += traffic.requests;
    seen.told += toldRequests(traffic);
    seen.errors += traffic.serverErrors;
  }

  /** What it has served since it is observed, for people. */
  describe(): string {
    const { note, seen } = this;
    const ratio = seen.told > 0 ? `, ${percent(seen.errors / seen.told)} errors` : "";
    const last = note.runs.at(-1);
    return [
      seen.measured
        ? `${note.color} served ${seen.requests} requests meanwhile${ratio}`
        : `how many requests ${note.color} served meanwhile is not known`,
      ...(last === undefined ? [] : [describeRun(last)]),
    ].join("; ");
  }

  /** Never throws. */
  async keep(part: Partial<LiveNote>): Promise<void> {
    const { cluster, app, say, seen, from } = this;
    this.note = { ...this.note, ...part };
    this.writtenAt = performance.now();
    this.writing = this.writing.then(async () => {
      const note: LiveNote = {
        ...this.note,
        at: new Date(from.getTime() + performance.now() - this.startedAt).toISOString(),
        requests: seen.measured ? seen.requests : null,
        errorRatio: seen.told > 0 ? seen.errors / seen.told : null,
      };
      await writeLiveNote(cluster, app, note).catch((error: unknown) => {
        say(`what was seen of ${note.color} is not in the record of the release: ${messageOf(error)}`);
      });
    });
    return this.writing;
  }

  /** So that whoever asks sees that it continues. */
  async keepNowAndThen(): Promise<void> {
    if (performance.now() - this.writtenAt >= writeEveryMs) await this.keep({});
  }
}
