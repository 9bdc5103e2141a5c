import { randomBytes } from "node:crypto";
import type { NamespacedName } from "../app/color.js";
import { names, relayLabel, type OwnMetadata } from "../app/names.js";
import { programPod } from "../jobs/podSpec.js";
import { runJob } from "../jobs/runJob.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { jobNameLabel, whereIs } from "../kubernetes/pods.js";
import { forwardPod, type Forwarded } from "../kubernetes/portForward.js";
import { UnreachableError } from "../postgres/reachable.js";
import type { Destination, Route } from "../postgres/route.js";
import { isInterruption, untilInterrupted } from "../util/interrupt.js";
import type { Say } from "../util/step.js";
import { messageOf } from "../util/userError.js";
import { listens, programText } from "./program.js";

/** What a relay is made of. */
export type RelayInputs = OwnMetadata & {
  app: string;
  /** Of pods that reach the database. */
  namespace: string;
  /** Any with Node.js. */
  image: string;
  imagePullSecrets: string[];
};

/** In the pod's own network: nobody else listens there. */
const port = 15_432;
const idleMs = 60_000;
/** Of a relay, for a server to answer: less than pg has for it, so that the reason is the server's. */
const patienceMs = 8000;
/** From its Job to its first line. A node may have to pull the image, and nobody's rollback waits for one. */
const startSeconds = 120;
/** A run of migrations that takes longer continues with the next update. */
const longestSeconds = 86_400;
/** For whoever looks why one ended. */
const ttlSeconds = 300;

/** Relays of one step of an update, for each server that it asks, from the first connection to its end. */
export class Relays implements Route {
  private readonly relays: Relay[] = [];

  constructor(
    private readonly cluster: Cluster,
    private readonly inputs: RelayInputs,
    private readonly say: Say,
  ) {}

  async portTo(destination: Destination): Promise<number> {
    const { host, port: to } = destination;
    let relay = this.relays.find((each) => each.isThere && each.forwardsTo(destination));
    if (relay === undefined) {
      relay = new Relay(this.cluster, this.inputs, destination, this.say);
      this.relays.push(relay);
    }
    try {
      return await relay.port();
    } catch (error) {
      if (isInterruption(error)) throw error;
      throw new UnreachableError(
        {
          code: "BG-RELAY-NOT-STARTED",
          what: `The database at ${host}:${to} was not reached: its relay pod did not start in namespace ${this.inputs.namespace}`,
          rule: reasonOf(error),
          next: `kubectl -n ${this.inputs.namespace} get events --sort-by=.lastTimestamp, then pulumi up`,
        },
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.relays.map((relay) => relay.close()));
  }
}

/** Of an error that names a next command, which is another one here. */
function reasonOf(error: unknown): string {
  const [reason = ""] = messageOf(error).split(/\n {2}next: /);
  return reason.replaceAll(/\s*\n\s*/g, "; ");
}

/** A Job whose pod forwards to one server, and the port of this machine from which it does. */
class Relay {
  isThere = true;
  private readonly ending = new AbortController();
  /** Never rejects. */
  private job: Promise<void> = Promise.resolve();
  private readonly forwarded: Promise<Forwarded>;

  constructor(
    private readonly cluster: Cluster,
    private readonly inputs: RelayInputs,
    private readonly destination: Destination,
    say: Say,
  ) {
    const name = names.job(inputs.app, "relay", randomBytes(5).toString("hex"));
    const listening = new Promise<void>((resolve, reject) => {
      this.job = this.run({ namespace: inputs.namespace, name }, say, resolve).catch(reject);
    });
    this.forwarded = this.forward(name, listening);
    // Whoever asks for it is told; it may be that nobody does.
    this.forwarded.catch(() => undefined);
  }

  forwardsTo({ host, port: to }: Destination): boolean {
    return this.destination.host === host && this.destination.port === to;
  }

  async port(): Promise<number> {
    return Number(new URL((await this.forwarded).url).port);
  }

  async close(): Promise<void> {
    this.ending.abort(new Error("it is not needed any more"));
    const forwarded = await this.forwarded.catch(() => undefined);
    forwarded?.close();
    await this.job;
  }

  /** @throws Error when it has ended, whatever ended it */
  private async run({ namespace, name }: NamespacedName, say: Say, onListening: () => void): Promise<void> {
    const { app, image, imagePullSecrets, labels, annotations } = this.inputs;
    const container = "relay";
    const program = programText({ port, destinations: [this.destination], idleMs, patienceMs });
    const pod = programPod(
      // It asks the API server for nothing, and every namespace has this account.
      { account: "default", imagePullSecrets },
      {
        name: container,
        image,
        command: ["node", "-e", program],
        resources: {
          requests: { cpu: "10m", memory: "64Mi" },
          limits: { cpu: "500m", memory: "128Mi" },
        },
      },
    );
    try {
      const { how } = await runJob(
        this.cluster,
        {
          namespace,
          name,
          app,
          labels,
          annotations,
          container,
          pod,
          podLabels: { [relayLabel]: app },
          timeoutSeconds: longestSeconds,
          ttlSecondsAfterFinished: ttlSeconds,
          takesEnded: false,
        },
        {
          onLine: (line) => {
            if (line.startsWith(listens)) onListening();
          },
          say,
          signal: this.ending.signal,
        },
      );
      const ended = `Job ${namespace}/${name}, the relay to the database, ${how}`;
      say(ended);
      throw new Error(ended);
    } finally {
      this.isThere = false;
    }
  }

  private async forward(name: string, listening: Promise<void>): Promise<Forwarded> {
    const late = setTimeout(() => {
      this.ending.abort(new Error(`it did not start within ${startSeconds} s`));
    }, startSeconds * 1000);
    try {
      await untilInterrupted(async (interrupted) => {
        const stop = () => {
          this.ending.abort(interrupted.reason);
        };
        interrupted.addEventListener("abort", stop, { once: true });
        await listening;
        interrupted.removeEventListener("abort", stop);
      });
    } finally {
      clearTimeout(late);
    }
    const { namespace } = this.inputs;
    const labelSelector = `${jobNameLabel}=${name}`;
    const { items } = await this.cluster.core.listNamespacedPod({ namespace, labelSelector });
    const [pod] = items;
    if (pod === undefined) throw new Error(`the pod of Job ${name} is gone`);
    return forwardPod(this.cluster, whereIs(pod), port, { lasting: true });
  }
}
