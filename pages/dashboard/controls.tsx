import { useState } from "preact/hooks";
import { ask } from "./ask";
import { Confirm, type Question } from "./confirm";
import { whyNotNow, type DashboardState, type ReleaseView } from "./state";

interface ControlsProps {
  state: DashboardState;
  /** Of the first cluster: an update brings all of them to the same. */
  release: ReleaseView | null;
  /** Gets why the server does not do it, or nothing. */
  refused: (why: string) => void;
}

/** What can be done from here: what the command line does, with the same gates. */
export function Controls({ state, release, refused }: ControlsProps) {
  const [question, setQuestion] = useState<Question>();
  const live = release?.live ?? null;
  if (release === null || live === null) return null;
  const idle = live === "blue" ? "green" : "blue";
  const tag = (color: string) => release.colors.find((each) => each.color === color)?.tag ?? "none";
  const { rollback } = release;
  const back = "to" in rollback ? rollback.to : idle;
  const noSwitch = whyNotNow(state, "switch");
  const noRollback =
    whyNotNow(state, "rollback") ?? ("why" in rollback ? rollback.why.split("\n")[0] : undefined);
  const noPlan = state.plan?.state === "running" ? "A plan is being made." : whyNotNow(state, "switch");
  const send = async (path: Parameters<typeof ask>[0], body: Parameters<typeof ask>[1]) => {
    refused("");
    refused((await ask(path, body)) ?? "");
  };
  return (
    <section aria-label="What can be done">
      <h2>What can be done</h2>
      <div class="controls">
        <Action
          label={`Switch to ${idle}…`}
          why={noSwitch}
          refused={refused}
          act={() => {
            setQuestion({
              kind: "switch",
              to: idle,
              title: `Switch traffic to ${idle}?`,
              text: `Config is set to ${idle}, and the update runs: all gates, then all traffic moves from ${live} (${tag(live)}) to ${idle} (${tag(idle)}), then the analysis runs there.`,
              confirm: `Switch to ${idle}`,
            });
          }}
        />
        <Action
          label={`Roll back to ${back}…`}
          why={noRollback}
          refused={refused}
          act={() => {
            setQuestion({
              kind: "rollback",
              to: back,
              title: `Roll back to ${back}?`,
              text: `All pods of ${back} (${tag(back)}) have to be ready, and it has to work on the schema. Then traffic moves, and the image of ${live} (${tag(live)}) is blocked until it changes. Then config follows.`,
              confirm: `Roll back to ${back}`,
            });
          }}
        />
        <Action
          label="Make a plan"
          why={noPlan}
          refused={refused}
          act={() => {
            void send("plan", {});
          }}
        />
      </div>
      {question !== undefined && (
        <Confirm
          question={question}
          closed={(answer) => {
            setQuestion(undefined);
            if (answer !== undefined) void send(question.kind, { to: question.to, why: answer });
          }}
        />
      )}
    </section>
  );
}

interface ActionProps {
  label: string;
  /** Why it cannot be done now; undefined: it can. */
  why: string | undefined;
  refused: (why: string) => void;
  act: () => void;
}

/** It stays reachable when it cannot be used: whoever comes by keyboard has to learn why. */
function Action({ label, why, refused, act }: ActionProps) {
  const id = `why-${label.split(" ")[0] ?? ""}`;
  return (
    <div class="action">
      <button
        type="button"
        aria-disabled={why !== undefined}
        aria-describedby={why === undefined ? undefined : id}
        onClick={() => {
          if (why === undefined) act();
          else refused(why);
        }}
      >
        {label}
      </button>
      {why !== undefined && (
        <p class="quiet" id={id}>
          {why}
        </p>
      )}
    </div>
  );
}
