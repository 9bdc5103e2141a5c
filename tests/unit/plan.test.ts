import { expect } from "chai";
import { planOf, type PlanFacts } from "@bluegreen/release/steps/plan";
import { planMarkdown, planText, stickyMark } from "../../cli/planText";
import { tagOf } from "../../cli/tagOf";
import { blue, green, status } from "./statuses";

const urn = (type: string, name: string) =>
  `urn:pulumi:test::chatgpt-app::bluegreen:index:AppInCluster$${type}::${name}`;
const step = (op: string, type: string, name: string) => ({ op, urn: urn(type, name) });
const gate = (op: string, type: string, name: string) =>
  step(op, `pulumi-nodejs:bluegreen:${type}`, `chatgpt-app-${name}`);
const deployment = (op: string, color: string) =>
  step(op, "kubernetes:apps/v1:Deployment", `chatgpt-app-${color}`);
const preview = (...steps: { op: string; urn: string }[]) => ({ steps, diagnostics: [] });

/** Traffic is on green v2, blue v1 is the standby, and config says so. */
function facts(part: Partial<PlanFacts> = {}): PlanFacts {
  return {
    preview: preview(),
    status: status(),
    others: [],
    wanted: {
      activeColor: "green",
      weights: { blue: 0, green: 100 },
      tags: { blue: "v1", green: "v2" },
      analysisSeconds: 600,
      smokeLiveColor: false,
    },
    migrations: { due: [] },
    tagOf,
    ...part,
  };
}

const toBlue = { ...facts().wanted, activeColor: "blue" as const, weights: { blue: 100, green: 0 } };

describe("The plan of an update", () => {
  it("calls an image what config calls it", () => {
    const digest = `sha256:${"0f".repeat(32)}`;
    for (const tag of ["v1", digest, `v1@${digest}`])
      expect(tagOf(`registry:5000/shop${tag.startsWith("sha256") ? "@" : ":"}${tag}`)).to.equal(tag);
    expect(tagOf("registry:5000/shop")).to.equal("registry:5000/shop");
  });

  it("says that nothing changes where nothing does", () => {
    expect(planText(planOf(facts()))).to.equal(
      [
        "traffic     stays on green (v2)",
        "rolls out   nothing",
        "migrations  nothing",
        "gates       none",
        "rollback    possible afterwards: to blue, as now",
        "refused     nothing",
      ].join("\n"),
    );
  });

  it("names the gates that run, in their order, and none that stays as it is", () => {
    const steps = [
      gate("update", "SmokeGate", "blue-smoke"),
      gate("create", "Rollout", "blue-rollout"),
      gate("same", "SchemaGate", "blue-schema"),
      gate("update", "Analysis", "analysis"),
      gate("update", "SwitchGate", "switch-gate"),
      gate("update", "LiveLock", "live-lock"),
      gate("delete", "SmokeGate", "green-smoke"),
    ];
    expect(planOf(facts({ preview: preview(...steps), wanted: toBlue })).gates).to.deep.equal([
      "rollout of blue",
      "smoke gate of blue",
      "gate of the switch",
      "analysis for 600 s",
    ]);
  });

  it("says that the live color is observed, and how its smoke tests are", () => {
    const part = { preview: preview(gate("update", "LiveGuardEnd", "live-guard-end")) };
    expect(planOf(facts(part)).gates).to.deep.equal([
      "live color, observed meanwhile (with its smoke tests: pulumi config set smokeLiveColor true)",
    ]);
    const wanted = { ...facts().wanted, smokeLiveColor: true };
    expect(planOf(facts({ ...part, wanted })).gates).to.deep.equal([
      "live color, observed meanwhile, with its smoke tests",
    ]);
  });

  it("names each gate of the user's where its time comes, whichever color it is of", () => {
    const steps = [
      gate("create", "GateBeforeSwitch", "load-before-switch"),
      gate("create", "GateBeforeSwitch", "shift-load-before-switch"),
      gate("update", "GateBeforeRollout", "blue-scan-before-rollout"),
      gate("update", "GateBeforeRollout", "green-scan-before-rollout"),
      gate("same", "GateAfterSwitch", "real-after-switch"),
      gate("update", "MigrationCommand", "green-migration-command"),
      gate("update", "Analysis", "analysis"),
    ];
    expect(planOf(facts({ preview: preview(...steps), wanted: toBlue })).gates).to.deep.equal([
      "gate scan before the rollout",
      "gate load before the switch",
      "analysis for 600 s",
      "gate scan before the rollout",
      "migration command of green",
      "gate load before the switch",
    ]);
  });

  it("names the preflight pod before all else that a change of the live color has to pass", () => {
    const steps = [gate("update", "Rollout", "green-rollout"), gate("update", "Preflight", "preflight")];
    expect(planOf(facts({ preview: preview(...steps) })).gates).to.deep.equal([
      "preflight pod",
      "rollout of green",
    ]);
  });

  it("names them once where several clusters are released together", () => {
    const inCluster = (name: string) =>
      step("update", "pulumi-nodejs:bluegreen:SwitchGate", `${name}/chatgpt-app-switch-gate`);
    expect(
      planOf(facts({ preview: preview(inCluster("eu"), inCluster("us")), wanted: toBlue })).gates,
    ).to.deep.equal(["gate of the switch"]);
  });

  it("says where traffic of another cluster is on another color", () => {
    const others = [status({ cluster: "us", live: "blue" }), status({ cluster: "asia" })];
    expect(
      planText(planOf(facts({ others })))
        .split("\n")
        .slice(0, 2),
    ).to.deep.equal(["traffic     stays on green (v2)", "            in us it is on blue now"]);
  });

  it("analyzes nothing at the first release, which has no rollback", () => {
    const first = planOf(
      facts({
        status: status({
          live: null,
          colors: [blue({ role: "off", image: null }), green({ role: "off", image: null, weight: 0 })],
        }),
        preview: preview(
          deployment("create", "green"),
          gate("create", "Analysis", "analysis"),
          gate("create", "Drain", "drain"),
        ),
      }),
    );
    expect(first.weights).to.deep.equal({ before: null, after: { blue: 0, green: 100 } });
    expect(first.gates).to.deep.equal([]);
    expect(first.rollouts).to.deep.equal([{ color: "green", from: null, to: "v2", hasTraffic: false }]);
    expect(first.rollback).to.deep.equal({ possible: false, why: "it is the first release" });
  });

  const ways: { what: string; part: Partial<PlanFacts>; possible: boolean; why: string }[] = [
    {
      what: "after a switch from a color that stays",
      part: { wanted: toBlue },
      possible: true,
      why: "to green, which stays as it is",
    },
    {
      what: "after a switch from a color that then changes",
      part: {
        wanted: { ...toBlue, tags: { blue: "v1", green: "v3" } },
        preview: preview(deployment("update", "green")),
      },
      possible: false,
      why: "it changes: v2 → v3",
    },
    {
      what: "once the standby has another version",
      part: {
        wanted: { ...facts().wanted, tags: { blue: "v3", green: "v2" } },
        preview: preview(deployment("update", "blue")),
      },
      possible: false,
      why: "it changes: v1 → v3",
    },
    {
      what: "once the standby is gone",
      part: {
        wanted: { ...facts().wanted, tags: { blue: undefined, green: "v2" } },
        preview: preview(deployment("update", "blue")),
      },
      possible: false,
      why: "it changes: v1 → none",
    },
    {
      what: "after contract migrations",
      part: { preview: preview(gate("update", "Contract", "contract")) },
      possible: false,
      why: "contract migrations",
    },
    {
      what: "where there is none now",
      part: { status: status({ rollback: { possible: false, why: "0 of 2 pods\n  why: more" } }) },
      possible: false,
      why: "as now: 0 of 2 pods",
    },
    {
      what: "where the idle color gets its first pods",
      part: {
        status: status({
          colors: [blue({ role: "off", image: null }), green()],
          rollback: { possible: false, why: "x" },
        }),
        preview: preview(deployment("update", "blue")),
      },
      possible: false,
      why: "as now: blue has no pods that were live before",
    },
    {
      what: "with a canary weight",
      part: { wanted: { ...facts().wanted, weights: { blue: 10, green: 90 } } },
      possible: true,
      why: "the traffic of blue can be rolled back to green",
    },
  ];
  for (const { what, part, possible, why } of ways) {
    it(`knows of the rollback ${what}`, () => {
      const { rollback } = planOf(facts(part));
      expect(rollback.possible).to.equal(possible);
      expect(rollback.why).to.contain(why);
    });
  }

  it("says why it is refused, in the words of whoever refuses, without passwords and values", () => {
    const error = (message: string) => ({ severity: "error", message });
    const diagnostics = [
      error(
        "pulumi-nodejs:dynamic/bluegreen:LiveLock resource 'chatgpt-app-live-lock': property blueTag value {v1} has a problem: may not change\n  why:  users",
      ),
      error(
        "pulumi-nodejs:dynamic/bluegreen:Migrations resource 'chatgpt-app-migrations' has a problem: no connection to postgres://app:hunter2@db:5432/app",
      ),
      error("the image was refused: it has a problem: none"),
      { ...error("An image is pinned by its digest."), policy: "bluegreen/image-digest" },
      { severity: "warning", message: "late" },
    ];
    expect(planOf(facts({ preview: { steps: [], diagnostics } })).refused).to.deep.equal([
      "may not change\n  why:  users",
      "no connection to postgres://app:[secret]@db:5432/app",
      "the image was refused: it has a problem: none",
      "policy bluegreen/image-digest: An image is pinned by its digest.",
    ]);
  });

  it("is a comment in which what others have written stays text", () => {
    const [refused, note] = ["```\n# take over\n```", "<img src=x> | `a` [b](http://c)"];
    const text = planMarkdown({
      ...planOf(facts()),
      refused: [refused],
      rollback: { possible: false, why: note },
    });
    expect(text.startsWith(`${stickyMark}\n`)).to.equal(true);
    expect(text)
      .to.contain("````text\n```\n# take over\n```\n````")
      .and.contain("&lt;img src=x> \\| \\`a\\` \\[b\\](http://c)");
  });

  it("names each migration with what the linter finds in it, and says where they are not known", () => {
    const due = [
      { id: "0003", name: "add", phase: "expand", findings: [] },
      { id: "0004", name: "drop", phase: "expand", findings: ["line 2: drop-table, it is used"] },
    ];
    expect(planText(planOf(facts({ migrations: { due } })))).to.contain(
      "migrations  0003_add (expand): nothing found by lint\n            0004_drop (expand): 1 found by lint\n            line 2: drop-table, it is used\n",
    );
    expect(planText(planOf(facts({ migrations: { unreadable: "timeout" } })))).to.contain(
      "migrations  not known: timeout\n",
    );
  });
});
