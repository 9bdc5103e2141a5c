import { useLayoutEffect, useRef } from "preact/hooks";
import { Time } from "../tables";
import type { Job } from "./state";

/** What a command says that was started from here. */
export function JobLog({ job: { kind, to, startedAt, end, lines } }: { job: Job }) {
  const log = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  // Whoever has scrolled up reads: the newest line does not take that away.
  useLayoutEffect(() => {
    if (follows.current && log.current !== null) log.current.scrollTop = log.current.scrollHeight;
  }, [lines]);
  const scrolled = () => {
    if (log.current !== null)
      follows.current = log.current.scrollTop + log.current.clientHeight >= log.current.scrollHeight - 24;
  };
  return (
    <section aria-label={`${kind} to ${to}`} data-job={kind}>
      <h2>
        {kind} to {to}: {end === null ? <span class="running">running</span> : end.isWell ? "done" : "failed"}
      </h2>
      <p class={end === null || end.isWell ? "quiet" : "trouble"}>
        Since <Time at={startedAt} />
        {end !== null && (
          <>
            , until <Time at={end.at} />: {end.text}
          </>
        )}
      </p>
      <pre
        class="log"
        role="log"
        aria-label={`Output of the ${kind}`}
        tabIndex={0}
        ref={log}
        onScroll={scrolled}
      >
        {lines.join("\n")}
      </pre>
    </section>
  );
}
