import { expect } from "chai";
import { attention, type ReleaseStatus } from "@bluegreen/release/releases/status";
import { statusLine, statusText } from "../../cli/statusText";
import { blue, green, lastSwitch, status } from "./statuses";

describe("The status of a release", () => {
  it("needs no attention when users are where config wants them, on pods that are ready", () => {
    expect(attention(status())).to.deep.equal([]);
  });

  const wrong: { what: string; part: Partial<ReleaseStatus>; says: string }[] = [
    { what: "there was no release", part: { live: null }, says: "No color has users yet" },
    { what: "users were taken back, and config does not say so", part: { activeColor: "blue" }, says: "Config says blue, and users are on green" },
    { what: "a pod of the live color is not ready", part: { colors: [blue(), green({ ready: 1 })] }, says: "green has 1 of 2 pods ready" },
    { what: "the live color was scaled to nothing", part: { colors: [blue(), green({ ready: 0, wanted: 0 })] }, says: "green has 0 of 0 pods ready" },
    { what: "the standby is not whole", part: { colors: [blue({ ready: 0 }), green()] }, says: "blue has 0 of 2 pods ready" },
    { what: "the database is away", part: { schema: { unreadable: "connect ECONNREFUSED" } }, says: "could not be read" },
    { what: "a migration is refused", part: { schema: { version: "0002", pending: [{ id: "0003", name: "drop", phase: "expand", state: "refused", notes: [] }] } }, says: "0003_drop is refused" },
    { what: "a switch was cut off", part: { lastSwitch: lastSwitch({ state: "permitted" }) }, says: "has not been noted" },
    { what: "a watched switch has no way back", part: { lastSwitch: lastSwitch({ state: "standby" }), rollback: { possible: false, why: "no pods" } }, says: "there is no way back" },
    { what: "what was rolled back still runs", part: { marks: [{ color: "blue", image: "registry:5000/app:v1", reason: "12 points", evidence: [], at: "2026-01-02T03:04:05.000Z", by: "watch" }] }, says: "was rolled back: 12 points" },
  ];
  for (const { what, part, says } of wrong) {
    it(`needs attention when ${what}`, () => {
      const found = attention(status(part));
      expect(found).to.have.length(1);
      expect(found[0]).to.contain(says);
    });
  }

  it("needs none for a mark of an image that is gone, nor for a first release that nothing leads back from", () => {
    const marks = [{ color: "blue" as const, image: "registry:5000/app:v0", reason: "", evidence: [], at: "2026-01-02T03:04:05.000Z", by: "watch" }];
    expect(attention(status({ marks }))).to.deep.equal([]);
    expect(attention(status({ lastSwitch: lastSwitch({ from: null, state: "standby" }), rollback: { possible: false, why: "first" } }))).to.deep.equal([]);
  });

  it("is a page for people, and one line for a log whatever texts it is made of", () => {
    const why = "The rollback to blue was refused\n  why:  its pods\n  next: kubectl get pods";
    const shown = status({ rollback: { possible: false, why }, schema: { unreadable: "two\nlines" }, lastSwitch: lastSwitch({ state: "standby" }) });
    expect(statusText(shown)).to.match(/^chatgpt-app in shop: users are on green\n\ncolor +role +image +users +ready\nblue +standby +v1 +0 % +2 of 2\ngreen +live +v2 +100 % +2 of 2\n\nschema +could not be read: two\n +lines\nlast switch +2026-01-02T03:04:05Z +switch to green v2 from blue v1\n/);
    expect(statusText(shown)).to.contain("not possible: The rollback to blue was refused\n");
    expect(statusLine(shown).split("\n")).to.have.length(1);
    expect(statusLine(status())).to.equal("live green · blue standby v1 2/2 · green live v2 2/2 · schema 0002 · rollback possible");
  });
});
