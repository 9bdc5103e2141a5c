import { expect } from "chai";
import { kindOf, resourceOf, steps, type StepName } from "@bluegreen/release/steps/registry";

const names = Object.keys(steps) as StepName[];

describe("The steps of a release", () => {
  it("have the kinds and names that are in everybody's state: another one would be another resource", () => {
    expect(names.map((name) => [kindOf(name), resourceOf(name, "shop")].join(" ")).toSorted()).to.deep.equal([
      "Analysis shop-analysis",
      "CapacityGate shop-capacity",
      "ColorSize shop-size",
      "Contract shop-contract",
      "DatabaseAccount shop-database",
      "DatabaseHandover shop-database-handover",
      "DatabaseReconcile shop-database-reconcile",
      "DatabaseSync shop-database-sync",
      "Drain shop-drain",
      "GateAfterSwitch shop-after-switch",
      "GateBeforeRollout shop-before-rollout",
      "GateBeforeScaleDown shop-before-scale-down",
      "GateBeforeSwitch shop-before-switch",
      "LiveGuard shop-live-guard",
      "LiveGuardEnd shop-live-guard-end",
      "LiveLock shop-live-lock",
      "MigrationCommand shop-migration-command",
      "Migrations shop-migrations",
      "Preflight shop-preflight",
      "ReleaseUnlock shop-release-unlock",
      "Rollout shop-rollout",
      "RouterGate shop-router",
      "SchemaGate shop-schema",
      "SizeReconcile shop-size-reconcile",
      "SmokeGate shop-smoke",
      "SwitchGate shop-switch-gate",
      "SwitchRecord shop-switch",
      "SwitchTurn shop-switch-turn",
      "WorkerRollout shop-workers",
      "WorkersStart shop-workers-start",
      "WorkersStop shop-workers-stop",
      "WriteFreeze shop-write-freeze",
      "WriteFreezeEnd shop-write-freeze-end",
    ]);
  });

  for (const name of names)
    it(`load ${name} when it is asked for`, async () => {
      expect(await steps[name].load()).to.include.keys("check", "isNeeded", "run");
    });

  it("say nothing of what another version has left in the state", () => {
    for (const name of names)
      expect(steps[name].result({ passedTests: "nine", applied: 1 }), name).to.be.oneOf([
        "the state does not say",
        "there is",
      ]);
  });
});
