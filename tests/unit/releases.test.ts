import { expect } from "chai";
import {
  findBlockedImage,
  blockedImagesAnnotation,
  readBlockedImages,
  withBlockedImage,
  type BlockedImage,
} from "@bluegreen/release/state/blockedImages";
import { ageOf, isAnalyzed, isRollbackTarget, type Release } from "@bluegreen/release/state/record";
import { whoami, whyOf } from "@bluegreen/release/util/who";
import { analysisLimits } from "@bluegreen/release/config/schema/analysis";

const blocked = (part: Partial<BlockedImage> = {}): BlockedImage => ({
  color: "green",
  image: "app:v2",
  reason: "12 points, 10 end it",
  evidence: ["12 points: errors"],
  at: "2026-01-02T03:04:05.000Z",
  by: "anna@laptop",
  ...part,
});
const service = (text: string) => ({ metadata: { annotations: { [blockedImagesAnnotation]: text } } });

describe("The blocked images of what was rolled back", () => {
  it("are found again by color and image, and by nothing else", () => {
    const blockedImages = readBlockedImages(service(JSON.stringify([blocked()])));
    expect(findBlockedImage(blockedImages, { color: "green", image: "app:v2" })).to.deep.equal(blocked());
    expect(findBlockedImage(blockedImages, { color: "blue", image: "app:v2" })).to.equal(undefined);
    expect(findBlockedImage(blockedImages, { color: "green", image: "app:v3" })).to.equal(undefined);
  });

  it("hold the newest reason for each image, the last ten images, and lines of a length that an annotation bears", () => {
    const twice = withBlockedImage([blocked({ reason: "the first" })], blocked({ reason: "the second" }));
    expect(twice.map(({ reason }) => reason)).to.deep.equal(["the second"]);
    const many = Array.from({ length: 30 }, (_, index) =>
      blocked({
        image: `app:v${index}`,
        reason: "x".repeat(10_000),
        evidence: Array<string>(1000).fill("y".repeat(10_000)),
      }),
    ).reduce<BlockedImage[]>(withBlockedImage, []);
    expect(many.map(({ image }) => image)).to.deep.equal(
      Array.from({ length: 10 }, (_, index) => `app:v${index + 20}`),
    );
    // All annotations of an object together may have 256 KiB.
    expect(JSON.stringify(many)).to.have.length.lessThan(64 * 1024);
  });

  it("are none where somebody has garbled the annotation", () => {
    for (const text of ["", "nonsense", "{}", "[1]", '[{"color":"red"}]', "null"])
      expect(readBlockedImages(service(text)), text).to.deep.equal([]);
    expect(readBlockedImages({})).to.deep.equal([]);
  });
});

describe("The rollback", () => {
  const blue = { color: "blue", image: "app:v1", template: "aaa" } as const;
  const green = { color: "green", image: "app:v2", template: "bbb" } as const;
  const release = (part: Partial<Release> = {}): Release => ({
    id: "1",
    kind: "switch",
    weight: 100,
    to: green,
    from: blue,
    who: "anna",
    why: "",
    at: "2026-01-02T03:04:05.000Z",
    state: "standby",
    baseline: {
      observation: { pods: [], logs: { errors: 0, samples: [], cutPods: 0, unreadPods: 0 }, queries: [] },
    },
    contracts: { waiting: [] },
    ...part,
  });

  it("is what was live before the last switch, as it was", () => {
    expect(isRollbackTarget(release(), blue)).to.equal(true);
    expect(isRollbackTarget(release(), { ...blue, template: "changed" })).to.equal(false);
    expect(isRollbackTarget(release(), green)).to.equal(false);
  });

  it("is not what a rollback has left: that comes again through all gates", () => {
    expect(isRollbackTarget(release({ kind: "rollback", to: blue, from: green }), green)).to.equal(false);
  });

  it("does not exist before there was a switch", () => {
    expect(isRollbackTarget(undefined, blue)).to.equal(false);
    expect(isRollbackTarget(release({ from: null }), blue)).to.equal(false);
  });
});

describe("A move of traffic", () => {
  const limits = analysisLimits.parse({});
  const from = { color: "blue", image: "app:v1", template: "aaa" } as const;

  it("is analyzed when there is something to roll back to", () => {
    expect(isAnalyzed({ kind: "switch", from }, limits)).to.equal(true);
    expect(isAnalyzed({ kind: "switch", from: null }, limits)).to.equal(false);
  });

  it("began now where a record says that it will: nobody waits for that time", () => {
    const now = new Date("2026-01-02T03:04:05.000Z");
    expect(ageOf({ at: "2026-01-02T03:04:00.000Z" }, now)).to.equal(5000);
    expect(ageOf({ at: "2100-01-01T00:00:00.000Z" }, now)).to.equal(0);
  });

  it("is not analyzed on the rollback, nor where config gives no time to it", () => {
    expect(isAnalyzed({ kind: "rollback", from }, limits)).to.equal(false);
    expect(isAnalyzed({ kind: "switch", from }, { ...limits, durationSeconds: 0 })).to.equal(false);
  });
});

describe("Who and why", () => {
  it("are what the environment says, in one line of bounded length", () => {
    const env = { BLUEGREEN_WHO: `anna\n${"x".repeat(1000)}`, BLUEGREEN_WHY: "it\tfails" };
    expect(whoami(env))
      .to.match(/^anna x+$/)
      .and.have.length(200);
    expect(whyOf("fallback", env)).to.equal("it fails");
  });

  it("are a CI system's user and commit", () => {
    const env = { GITHUB_ACTOR: "octocat", GITHUB_SHA: "0123456789abcdef0123" };
    expect(whoami(env)).to.equal("octocat");
    expect(whyOf("activeColor green in config", env)).to.equal(
      "activeColor green in config, commit 0123456789ab",
    );
  });
});
