import { expect } from "chai";
import { gatesIn } from "../../cli/gates";

const urn = (kind: string, name: string) =>
  `urn:pulumi:production::bluegreen::bluegreen:index:AppColor$pulumi-nodejs:dynamic/bluegreen:${kind}::${name}`;
const state = (...resources: { urn: string; outputs?: object }[]) => ({
  version: 3,
  deployment: { resources },
});

describe("What the gates came to, from the state of a stack", () => {
  it("is told in the order in which they are passed, and of no resource that decides nothing", () => {
    const exported = state(
      { urn: urn("Analysis", "chatgpt-app-analysis"), outputs: { verdict: "kept" } },
      { urn: urn("SmokeGate", "chatgpt-app-green-smoke"), outputs: { passedTests: 9 } },
      { urn: urn("SmokeGate", "chatgpt-app-blue-smoke"), outputs: { passedTests: 0 } },
      { urn: urn("Rollout", "chatgpt-app-green-rollout"), outputs: { readyReplicas: 2 } },
      { urn: urn("Deployment", "chatgpt-app-green"), outputs: { spec: {} } },
      {
        urn: urn("Migrations", "chatgpt-app-migrations"),
        outputs: { schemaVersion: "0002", applied: ["0002"], waiting: [], since: "" },
      },
    );
    expect(gatesIn(exported)).to.deep.equal({
      passed: [
        { gate: "migrations", result: "schema 0002, applied 0002" },
        { gate: "rollout of green", result: "2 pods ready" },
        { gate: "smoke gate of green", result: "9 tests passed" },
        { gate: "smoke gate of blue", result: "not run: these pods had just served traffic" },
        { gate: "analysis", result: "kept" },
      ],
    });
  });

  it("names the cluster, where there are several", () => {
    expect(
      gatesIn(state({ urn: urn("SwitchGate", "eu/chatgpt-app-switch-gate"), outputs: { switchId: "abc" } })),
    ).to.deep.equal({ passed: [{ gate: "eu: gate of the switch", result: "let switch abc through" }] });
  });

  it("names a gate of the user's, and the color where there is one of each", () => {
    const outputs = { outcome: "passed in 2.0 s" };
    expect(
      gatesIn(
        state(
          { urn: urn("GateBeforeRollout", "chatgpt-app-green-scan-before-rollout"), outputs },
          { urn: urn("GateBeforeSwitch", "chatgpt-app-load-before-switch"), outputs },
        ),
      ),
    ).to.deep.equal({
      passed: [
        { gate: "chatgpt-app-green-scan before the rollout", result: "passed in 2.0 s" },
        { gate: "chatgpt-app-load before the switch", result: "passed in 2.0 s" },
      ],
    });
  });

  it("is not made up, where a state does not say, or is none", () => {
    expect(gatesIn(state({ urn: urn("SmokeGate", "chatgpt-app-green-smoke") }))).to.deep.equal({
      passed: [{ gate: "smoke gate of green", result: "the state does not say" }],
    });
    expect(gatesIn({ version: 3 })).to.have.property("unreadable");
    expect(gatesIn(state())).to.deep.equal({ passed: [] });
  });
});
