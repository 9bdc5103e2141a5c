import type { RequestContext } from "@bluegreen/release/kubernetes/client";
import { patience } from "@bluegreen/release/kubernetes/cluster";
import type { ApiServer } from "./apiServer";

/**
 * Time that passes for a request as soon as a simulated API server makes it wait, and for no other: no
 * machine is too slow for such a test, and none waits. @returns how to go back to real time
 */
export function simulateTime(servers: readonly ApiServer[]): () => void {
  const { of } = patience;
  const waiting = new Map<string, AbortController>();
  patience.of = (request: RequestContext) => {
    const controller = new AbortController();
    waiting.set(`${request.getHttpMethod()} ${request.getUrl()}`, controller);
    return controller.signal;
  };
  for (const server of servers)
    server.late = (request) => {
      waiting.get(request)?.abort(new DOMException("simulated", "TimeoutError"));
    };
  return () => {
    patience.of = of;
  };
}
