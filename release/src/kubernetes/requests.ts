import { Observable, VersionApi, ApiException, type CoreV1Api } from "./client.js";
import type { Cluster } from "./cluster.js";

type CallOptions = NonNullable<Parameters<CoreV1Api["listNamespacedPod"]>[1]>;

/** Options for a call of the API server that ends with the signal. Without one it may hang for minutes. */
export function withSignal(signal: AbortSignal): CallOptions {
  return {
    middleware: [
      {
        pre: (request) => {
          request.setSignal(signal);
          return new Observable(Promise.resolve(request));
        },
        post: (response) => new Observable(Promise.resolve(response)),
      },
    ],
    middlewareMergeStrategy: "append",
  };
}

const answerMs = 10_000;

/**
 * Now, by the API server's clock, to the second. What is written into the cluster is read by other machines,
 * and this one's clock may be wrong by hours.
 */
export async function serverTime({ config }: Cluster): Promise<Date> {
  const { headers } = await config
    .makeApiClient(VersionApi)
    .getCodeWithHttpInfo({}, withSignal(AbortSignal.timeout(answerMs)));
  const time = new Date(headers["date"] ?? "");
  if (Number.isNaN(time.getTime()))
    throw new Error(`the API server's answer has no usable date: ${headers["date"] ?? "none"}`);
  return time;
}

/** The object, or undefined where the API server answers 404. Every other failure stays a failure. */
export async function orUndefined<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof ApiException && error.code === 404;
}

export function isForbidden(error: unknown): boolean {
  return error instanceof ApiException && error.code === 403;
}
