import { Observable, type CoreV1Api } from "./client.js";

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
