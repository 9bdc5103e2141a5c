import type { KubeConfig } from "./client.js";
import type { Cluster } from "./cluster.js";
import { askAt, askThroughForward, whereToAsk, type AskPod } from "./pods.js";
import { forwardPod, type Forwarded } from "./portForward.js";

/**
 * Each takes four descriptors here, and a connection of the API server and of the kubelet. More pods take
 * longer to read than an idle connection to a pod is kept.
 */
const keptMax = 64;

interface Kept {
  forwarded: Promise<Forwarded>;
  /** Since the last time that somebody asked. */
  isAsked: boolean;
}

/**
 * For a process that asks the same pods every second. A new forward is a TLS handshake and work of the API
 * server, the kubelet and the container runtime; one that is kept leads a kept HTTP connection to its pod.
 */
export class KeptForwards {
  readonly #kept = new Map<string, Kept>();
  #config: KubeConfig | undefined;

  /** Like askThroughForward. A failure closes the forward of its pod: the next question opens another. */
  through(cluster: Cluster): AskPod {
    if (cluster.config !== this.#config) this.close();
    this.#config = cluster.config;
    return async (pod, path, bounds) => {
      const { port, ...where } = whereToAsk(pod, bounds.port);
      const id = JSON.stringify([where, port]);
      let kept = this.#kept.get(id);
      if (kept === undefined) {
        if (this.#kept.size >= keptMax) return askThroughForward(cluster)(pod, path, bounds);
        kept = { forwarded: forwardPod(cluster, where, port, { lasting: true }), isAsked: true };
        this.#kept.set(id, kept);
      }
      kept.isAsked = true;
      try {
        return await askAt((await kept.forwarded).url, path, bounds);
      } catch (error) {
        this.#close(id, kept);
        throw error;
      }
    };
  }

  /** Closes those of pods that nobody has asked since the last call. */
  closeUnasked(): void {
    for (const [id, kept] of this.#kept) {
      if (!kept.isAsked) this.#close(id, kept);
      kept.isAsked = false;
    }
  }

  close(): void {
    for (const [id, kept] of this.#kept) this.#close(id, kept);
  }

  #close(id: string, kept: Kept): void {
    if (this.#kept.get(id) === kept) this.#kept.delete(id);
    kept.forwarded.then(
      (forwarded) => {
        forwarded.close();
      },
      () => undefined,
    );
  }
}
