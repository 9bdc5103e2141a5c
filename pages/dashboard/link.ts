import { useEffect, useState } from "preact/hooks";
import { applied, type DashboardEvent, type DashboardState } from "./state";
import { whatChanged } from "./whatChanged";

/**
 * Whether what is shown is what is. ended: it will not come back, because the dashboard is another one by
 * now.
 */
export type Link = "open" | "waiting" | "ended";

export interface Linked {
  /** Undefined until it has come for the first time. */
  state: DashboardState | undefined;
  link: Link;
  /** When the last event came, in milliseconds since 1970. */
  heardAt: number;
  /** The last change in words, for whoever does not see it. */
  news: string;
}

/**
 * What the dashboard's server tells, as it tells it. The browser connects again by itself, and gets all of it
 * then.
 */
export function useLink(): Linked {
  const [linked, setLinked] = useState<Linked>({
    state: undefined,
    link: "waiting",
    heardAt: Date.now(),
    news: "",
  });
  useEffect(() => {
    const source = new EventSource("events");
    source.onmessage = ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as DashboardEvent; // our own server's
      setLinked(({ state, news }) => {
        const next = event.type === "all" ? event.state : state && applied(state, event);
        return {
          state: next,
          link: "open",
          heardAt: Date.now(),
          news: (state && next && whatChanged(state, next)) ?? news,
        };
      });
    };
    source.onerror = () => {
      const link = source.readyState === EventSource.CLOSED ? "ended" : "waiting";
      setLinked((last) => ({ ...last, link }));
    };
    return () => {
      source.close();
    };
  }, []);
  return linked;
}
