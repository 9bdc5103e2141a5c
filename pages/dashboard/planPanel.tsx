import { useEffect, useState } from "preact/hooks";
import { Lines, Table, Time } from "../tables";
import type { PlanState } from "./state";

/** What the next update would do, as a preview that was asked for has said. */
export function PlanPanel({ plan }: { plan: PlanState }) {
  return (
    <section aria-labelledby="plan">
      <h2 id="plan">What the next update does</h2>
      <p class="quiet">
        Asked for at <Time at={plan.startedAt} />
      </p>
      {plan.state === "running" && <Waiting since={plan.startedAt} />}
      {plan.state === "failed" && <pre class="trouble">{plan.why}</pre>}
      {plan.state === "made" && (
        <>
          <p class={plan.isRefused ? "trouble" : undefined}>
            {plan.isRefused ? "It would be refused." : "Nothing is refused."}
          </p>
          <Table label="Plan" head={["what", "how"]}>
            {plan.rows.map(([name, texts]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{texts.length === 1 ? texts[0] : <Lines lines={texts} />}</td>
              </tr>
            ))}
          </Table>
        </>
      )}
    </section>
  );
}

function Waiting({ since }: { since: string }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return (
    <p>
      <progress aria-label="A preview runs" /> A preview runs, for{" "}
      {Math.max(0, Math.round((now - Date.parse(since)) / 1000))} s.
    </p>
  );
}
