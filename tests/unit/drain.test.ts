import { expect } from "chai";
import { describeStaying, Tally } from "@bluegreen/release/drain/drainColor";
import { describeEnd } from "@bluegreen/release/drain/step";
import { drainPod, type DrainState } from "@bluegreen/release/drain/pods";

const state = (part: Partial<DrainState>): DrainState => ({
  draining: true,
  connections: 0,
  streams: 0,
  requests: 0,
  ...part,
});

describe("What is known of pods that drain", () => {
  it("is enough when nobody was left three times in a row: not every node has heard of the switch at once", () => {
    const tally = new Tally();
    const polls = [5, 0, 0, 1, 0, 0, 0].map((connections) => {
      tally.note("a", state({ connections }));
      return tally.isOpen("a");
    });
    expect(polls).to.deep.equal([true, true, true, true, true, true, false]);
  });

  it("leaves out a pod that never answers, and waits for one that once has", () => {
    const tally = new Tally();
    tally.note("busy", state({ connections: 7, streams: 2 }));
    for (let poll = 0; poll < 3; poll += 1) {
      expect(tally.isOpen("mute")).to.equal(true);
      for (const name of ["mute", "busy"]) tally.note(name, undefined);
    }
    expect([tally.isOpen("mute"), tally.isOpen("busy")]).to.deep.equal([false, true]);
    expect([tally.measured, tally.silent]).to.deep.equal([1, 1]);
    expect(tally.left).to.deep.equal({ connections: 7, streams: 2, pods: 1 });
  });

  it("tells a pod again that has started again, and forgets one that is gone", () => {
    const tally = new Tally();
    expect(tally.isUntold("a")).to.equal(true);
    tally.note("a", state({ connections: 3 }));
    expect(tally.isUntold("a")).to.equal(false);
    tally.note("a", state({ draining: false }));
    expect(tally.isUntold("a")).to.equal(true);
    tally.note("b", state({ connections: 2, streams: 2 }));
    tally.keep(["b"]);
    expect(tally.left).to.deep.equal({ connections: 2, streams: 2, pods: 1 });
    expect(tally.isOpen("a")).to.equal(true);
  });
});

describe("The end of a drain", () => {
  const end = {
    end: "over" as const,
    seconds: 12.34,
    left: { connections: 0, streams: 0, pods: 0 },
    measured: 2,
    unmeasured: 0,
  };

  it("says how long it took", () => {
    expect(describeEnd("blue", 30, end)).to.deep.equal([
      "blue is drained, after 12.3 s: no connection is left",
    ]);
  });

  it("says plainly who was left, that nobody is cut, and how to give them longer", () => {
    const [line] = describeEnd("blue", 30, { ...end, left: { connections: 12, streams: 3, pods: 1 } });
    expect(line)
      .to.contain("blue is not drained: after 12.3 s, 12 connections, 3 of them streams, on 1 pod are left")
      .and.contain("Nobody cuts them")
      .and.contain("pulumi config set --path connectionDrain.timeoutSeconds 60");
  });

  it("says nothing of pods that say nothing, but that they do", () => {
    const [line, ...more] = describeEnd("blue", 30, { ...end, measured: 0, unmeasured: 3 });
    expect(more).to.deep.equal([]);
    expect(line).to.contain("3 of 3 pods of blue do not say what is open on them");
    expect(describeEnd("blue", 30, { ...end, measured: 0 }), "no pods at all").to.deep.equal([]);
  });
});

describe("The port that a pod takes orders to drain at", () => {
  const pod = (value?: string) => ({
    metadata: {
      namespace: "shop-blue",
      name: "a",
      annotations: { "kubectl.kubernetes.io/default-container": "mcp-server" },
    },
    spec: {
      containers: [
        { name: "proxy", env: [{ name: "BLUEGREEN_DRAIN_PORT", value: "9" }] },
        { name: "mcp-server", env: value === undefined ? [] : [{ name: "BLUEGREEN_DRAIN_PORT", value }] },
      ],
    },
  });

  it("is the one that the pod itself was started with, whatever config says by now", () => {
    expect(drainPod(pod("3001"))).to.deep.equal({ namespace: "shop-blue", name: "a", port: 3001 });
    for (const value of [undefined, "", "0", "-1", "3.5", "none", "1e3", "0x50", "65536"])
      expect(drainPod(pod(value)), value).to.equal(undefined);
  });
});

describe("Clients of pods that say nothing of their connections", () => {
  const staying = { requests: 0, windowSeconds: 5, measuredPods: 3, pods: 3 };
  const deployment = { namespace: "shop-blue", name: "shop-blue" };

  it("have left when nobody is answered any more", () => {
    expect(describeStaying("blue", staying, deployment)).to.equal(
      "blue answered no request in 5 s: clients have left it",
    );
  });

  it("are said to stay on the old version as long as their connections last", () => {
    expect(describeStaying("blue", { ...staying, requests: 45, measuredPods: 2 }, deployment))
      .to.contain("still answered 45 requests in 5 s, by 2 of 3 pods")
      .and.contain("stay on the old version until those end")
      .and.contain("kubectl -n shop-blue rollout restart deployment shop-blue");
  });

  it("are not said to have left where nobody can tell", () => {
    expect(describeStaying("blue", { ...staying, measuredPods: 0 }, deployment)).to.contain("is not known");
  });
});
