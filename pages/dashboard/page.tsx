import { useEffect, useState } from "preact/hooks";
import { GateTable, Time } from "../tables";
import { timeOfDay } from "../time";
import { Charts } from "./charts";
import { Facts, History, Traffic } from "./cluster";
import { Controls } from "./controls";
import { JobLog } from "./jobLog";
import { useLink, type Linked } from "./link";
import { PlanPanel } from "./planPanel";
import type { DashboardState } from "./state";

/** All of it. */
export function Page() {
  const linked = useLink();
  const [refusal, setRefusal] = useState("");
  const { state, news } = linked;
  const title = titleOf(state);
  useEffect(() => {
    document.title = title;
  }, [title]);
  if (state === undefined) {
    return (
      <main>
        <h1>bluegreen</h1>
        <LinkState {...linked} />
      </main>
    );
  }
  const { app, namespace, stack, clusters, gates, plan, jobs } = state;
  const [first] = clusters;
  // What runs comes first, and then what ran last.
  const shown = Object.values(jobs).toSorted(
    (one, other) =>
      Number(one.end !== null) - Number(other.end !== null) || (one.startedAt < other.startedAt ? 1 : -1),
  );
  return (
    <>
      <header>
        <h1>{app}</h1>
        <p class="quiet">
          stack <strong>{stack}</strong>, namespace <strong>{namespace}</strong>
        </p>
        <LinkState {...linked} />
      </header>
      <main>
        {clusters.map((cluster) => (
          <Traffic key={cluster.name} cluster={cluster} />
        ))}
        {first !== undefined && <Controls state={state} release={first.release} refused={setRefusal} />}
        <p class={refusal === "" ? "alert empty" : "alert"} role="alert">
          {refusal}
        </p>
        {shown.map((job) => (
          <JobLog key={job.kind} job={job} />
        ))}
        {plan !== null && <PlanPanel plan={plan} />}
        {clusters.map((cluster) => (
          <Charts key={cluster.name} cluster={cluster} />
        ))}
        {clusters.map((cluster) => (
          <Facts key={cluster.name} cluster={cluster} />
        ))}
        <section aria-labelledby="gates">
          <h2 id="gates">Gates, when they were last passed</h2>
          {gates === null ? (
            <p>The state of the stack is being read.</p>
          ) : (
            <>
              <p class="quiet">
                From the state of the stack, as of <Time at={gates.readAt} />; it is read when traffic moves,
                when a switch or rollback from here ends, and with a plan.
              </p>
              <GateTable gates={gates} />
            </>
          )}
        </section>
        {clusters.map((cluster) => (
          <History key={cluster.name} cluster={cluster} />
        ))}
      </main>
      <p class="unseen" role="status">
        {news}
      </p>
    </>
  );
}

/** Among many tabs, too, it shows where traffic is. */
function titleOf(state: DashboardState | undefined): string {
  if (state === undefined) return "bluegreen";
  return (
    [...new Set(state.clusters.map(({ release }) => release?.live ?? "unknown"))].join(", ") +
    ` · ${state.app}`
  );
}

function LinkState({ link, heardAt, state }: Linked) {
  if (link === "ended")
    return (
      <p class="link trouble">
        This dashboard has ended. Another one has an address of its own: the command prints it.
      </p>
    );
  if (link === "waiting")
    return (
      <p class="link trouble">
        {state === undefined
          ? "Waiting for the dashboard."
          : `The dashboard does not answer. What is shown is from ${timeOfDay(heardAt)}.`}
      </p>
    );
  return (
    <p class="link">
      {state?.isEnding === true
        ? "Ending, as soon as what runs has ended"
        : `Connected, ${timeOfDay(heardAt)}`}
    </p>
  );
}
