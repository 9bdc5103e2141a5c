import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { expect } from "chai";
import { refusedIn } from "@bluegreen/release/steps/plan";
import { errorsIn, nameOf, observe, resourcesIn } from "../../cli/pulumi/events";

/** Of four runs of Pulumi 3.274.1, without the states of resources and all but one event for debugging. */
const recorded = JSON.parse(readFileSync(join(__dirname, "engineEvents.json"), "utf8")) as Record<
  "done" | "check" | "policy" | "failed",
  EngineEvent[]
>;
const urn = (name: string) => `urn:pulumi:production::shop::pulumi-nodejs:dynamic/shop:SwitchGate::${name}`;

describe("What a run of Pulumi's engine tells", () => {
  it("is which resource had which operation, in order, and how many each", () => {
    const { steps, changes, diagnostics } = observe(recorded.done);
    expect(steps.map(({ op, name }) => `${op} ${name}`)).to.deep.equal([
      "same shop-production",
      "update shop-ready",
      "update shop-gate",
      "same eu/shop-after",
    ]);
    expect(steps[1]).to.deep.equal({
      op: "update",
      urn: urn("shop-ready"),
      type: "pulumi-nodejs:dynamic/shop:SwitchGate",
      name: "shop-ready",
    });
    expect(changes).to.deep.equal({ same: 2, update: 2 });
    expect(diagnostics, "what is for debugging holds secrets").to.deep.equal([]);
  });

  it("is what failed, and of which resource, without the word that something has", () => {
    const { steps, diagnostics } = observe(recorded.failed);
    expect(diagnostics).to.deep.equal([
      { severity: "error", message: "create failed: 0 of 2 pods\n  why:  too small", urn: urn("shop-gate") },
    ]);
    expect(errorsIn(diagnostics)).to.deep.equal(["shop-gate: create failed: 0 of 2 pods\n  why:  too small"]);
    expect(steps.at(-1)?.name).to.equal("shop-gate");
  });

  it("is what there will be, with its inputs, and nothing of what is deleted", () => {
    const event = (op: string, inputs: object | null) => ({
      resourcePreEvent: {
        metadata: { op, urn: urn("shop-gate"), type: "shop:Gate", new: inputs && { inputs } },
      },
    });
    // As the engine writes them.
    const events = [event("update", { color: "green" }), event("delete", null)] as unknown as EngineEvent[];
    expect(resourcesIn(events)).to.deep.equal([{ type: "shop:Gate", inputs: { color: "green" } }]);
  });

  it("is what a policy forbids, and what it advises", () => {
    const { diagnostics } = observe(recorded.policy);
    expect(diagnostics).to.deep.equal([
      {
        severity: "warning",
        message: "Ready is advised against.\na ready gate is late",
        policy: "shop-rules/no-ready",
        urn: urn("shop-ready"),
      },
      {
        severity: "error",
        message: "No gate has v2.\ntag v2 is not allowed\n  next: v1",
        policy: "shop-rules/no-v2",
        urn: urn("shop-gate"),
      },
    ]);
    expect(refusedIn({ steps: [], diagnostics })).to.deep.equal([
      "policy shop-rules/no-v2: No gate has v2.\ntag v2 is not allowed\n  next: v1",
    ]);
  });

  it("is no refusal where the organization has made an exception of what a policy forbids", () => {
    const excepted = recorded.policy.map(({ policyEvent, ...rest }): EngineEvent => ({
      ...rest,
      ...(policyEvent !== undefined && {
        policyEvent: Object.assign({}, policyEvent, { exceptions: [{ id: "1" }] }),
      }),
    }));
    expect(observe(excepted).diagnostics.map(({ severity }) => severity)).to.deep.equal([
      "warning",
      "warning",
    ]);
  });

  it("is why a step refuses something, in a plan in its own words alone, and no value of a property", () => {
    const observed = observe(recorded.check);
    expect(errorsIn(observed.diagnostics)[0]).to.contain("shop-gate: ").and.contain("value {v2}");
    expect(refusedIn(observed)).to.deep.equal([
      "blue serves traffic with v1\n  why:  its image may not change in place\n  next: pulumi config set greenTag v2",
    ]);
  });

  it("names a resource by all of its name", () => {
    expect(nameOf("urn:pulumi:production::shop::kubernetes:apps/v1:Deployment::eu/shop::blue")).to.equal(
      "eu/shop::blue",
    );
  });
});
