import { Observable, type CoordinationV1Api } from "@kubernetes/client-node";

type CallOptions = NonNullable<Parameters<CoordinationV1Api["readNamespacedLease"]>[1]>;

/** Options for a call of the API server that may take so long and no longer. Without them it may hang for minutes. */
export function within(milliseconds: number): CallOptions {
  return {
    middleware: [
      {
        pre: (request) => {
          request.setSignal(AbortSignal.timeout(milliseconds));
          return new Observable(Promise.resolve(request));
        },
        post: (response) => new Observable(Promise.resolve(response)),
      },
    ],
    middlewareMergeStrategy: "append",
  };
}
