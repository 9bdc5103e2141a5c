import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { poll, readyPodsBehind } from "@bluegreen/release";
import { readColors } from "@bluegreen/release/releases/colorStatus";
import { colorService } from "@bluegreen/release/routers/services";
import type { ReleaseStatus } from "@bluegreen/release/releases/status";
import { repositoryDir } from "../../local/paths";
import { bluegreen, start } from "../support/bluegreen";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";

type Shown = ReleaseStatus & { attention: string[] };

/** A release as somebody does it who types nothing but `bluegreen`. */
describe("A release from the command line, on a real cluster", function () {
  let test: TestStack;
  before(async () => {
    test = await makeStack(twoVersions);
    await test.set({ activeColor: "blue", blueTag: "v1", schemaVersion: "0001" });
  });
  after(() => test.remove());

  const status = async () => {
    const { code, out, said } = await bluegreen(test, "status", "--json");
    expect(out, said).not.to.equal("");
    return { code, ...(JSON.parse(out) as Shown) };
  };

  it("tells where it stands: before the first one, and after it", async () => {
    expect((await status()).live).to.equal(null);
    const { code: refused, said } = await bluegreen(test, "rollback", "--yes");
    expect(
      [
        refused,
        said.includes(`of context ${test.stage.context}`),
        said.includes("kubectl config get-contexts"),
      ],
      said,
    ).to.deep.equal([2, true, true]);
    await test.stack.up();
    const { code, live, colors, schema, rollback, attention } = await status();
    expect({ code, live, attention }).to.deep.equal({ code: 0, live: "blue", attention: [] });
    expect(
      colors.map(({ color, role, ready, weight }) => `${color} ${role} ${ready} ${weight}`),
    ).to.deep.equal(["blue live 2 100", "green off 0 0"]);
    expect(schema).to.include({ version: "0001" });
    expect(rollback.possible).to.equal(false);
  });

  it("brings a version to the idle color, and shows it coming", async () => {
    await test.stack.removeConfig(["schemaVersion"]);
    const watching = start(test, {}, "status", "--watch");
    const seen: string[] = [];
    createInterface({ input: watching.stdout }).on("line", (line) => seen.push(line));
    const { code, said } = await bluegreen(test, "deploy", "v2", "--yes");
    expect(code, said).to.equal(0);
    expect(said)
      .to.match(/^traffic +stays on blue \(v1\)$/m)
      .and.match(/^rolls out +green: none → v2$/m)
      .and.match(/^migrations +0002_add_user_tier \(expand\): nothing found by lint$/m)
      .and.match(/^rollback +not possible afterwards: as now: green has no pods that were live before$/m);
    await poll(
      () =>
        Promise.resolve(
          seen.some((line) => line.includes("live blue · blue live v1 2/2 · green standby v2 2/2")) ||
            undefined,
        ),
      { timeoutMs: 300_000 },
    );
    const ended = once(watching, "close");
    watching.kill("SIGINT");
    expect(await ended, seen.join("\n")).to.deep.equal([0, null]);
    expect(new Set(seen).size, "a line for each change, and for nothing else").to.equal(seen.length);
  });

  it("plans a switch, refuses what may not be, and leaves config as it was where nobody says yes", async () => {
    const config = () => readFileSync(join(repositoryDir, `Pulumi.${test.name}.yaml`), "utf8");
    const before = config();
    const unasked = await bluegreen(test, "switch");
    expect([unasked.code, config() === before], unasked.said).to.deep.equal([2, true]);
    expect(unasked.said)
      .to.match(/^traffic +blue → green \(v2\)$/m)
      .and.match(/^gates .*smoke gate of green, gate of the switch, analysis for 4 s, drain of blue/m)
      .and.match(/^rollback +possible afterwards: to blue, which stays as it is$/m);
    await test.set({ blueTag: "v2" });
    const refused = await bluegreen(test, "plan", "--markdown");
    expect([refused.code, refused.said.includes("**Refused:**")], refused.said).to.deep.equal([1, true]);
    expect(refused.said).to.contain("blue serves traffic with");
    await test.set({ blueTag: "v1" });
    for (const secret of Object.values(test.secrets))
      expect(refused.said + unasked.said).not.to.contain(secret);
  });

  it("switches, and tests the standby", async () => {
    const users = await startUsers(test.cluster);
    const switched = await bluegreen(test, "switch", "--yes");
    expect(switched.code, switched.said).to.equal(0);
    await users.answeredBy("green");
    expect((await users.stop()).failures).to.deep.equal([]);
    const { code, live, rollback, lastSwitch, attention } = await status();
    expect({ code, live, rollback, attention, kind: lastSwitch?.kind }).to.deep.equal({
      code: 0,
      live: "green",
      rollback: { possible: true, to: "blue" },
      attention: [],
      kind: "switch",
    });
    const smoke = await bluegreen(test, "smoke");
    expect(smoke.said, "the idle one").to.match(/^blue \(v1\) passed [1-9]\d* smoke tests\.$/m);
  });

  it("scales down the standby no sooner than it may", async () => {
    const early = await bluegreen(test, "scale-down", "--yes");
    expect(
      [early.code, early.said.includes("it is what a rollback returns to until")],
      early.said,
    ).to.deep.equal([2, true]);
    const retired = await bluegreen(test, "scale-down", "--now", "--yes");
    expect(retired.code, retired.said).to.equal(0);
    const after = await status();
    expect({
      live: after.live,
      roles: after.colors.map(({ role }) => role),
      possible: after.rollback.possible,
    }).to.deep.equal({ live: "green", roles: ["off", "live"], possible: false });
    const service = colorService(test.cluster, "chatgpt-app", "blue");
    // They have the time that pods have to end.
    await poll(async () => ((await readyPodsBehind(test.cluster, service)).length === 0 ? true : undefined), {
      timeoutMs: 300_000,
    });
    const gone = await bluegreen(test, "smoke", "blue");
    expect([gone.code, gone.said.includes("has no ready endpoint")], gone.said).to.deep.equal([1, true]);
  });

  it("ends safely at Ctrl-C in an update, says where things stand, and continues when it is typed again", async () => {
    const users = await startUsers(test.cluster);
    // As at a terminal, which tells the whole group.
    const child = start(test, { detached: true }, "deploy", "v1", "--switch", "--yes");
    const said: string[] = [];
    for (const output of [child.stdout, child.stderr])
      output.setEncoding("utf8").on("data", (text: string) => said.push(text));
    const ended = once(child, "close");
    await poll(
      async () =>
        (await readColors(test.cluster, "chatgpt-app", "green", 0)).some(
          ({ color, wanted }) => color === "blue" && wanted > 0,
        )
          ? true
          : undefined,
      { timeoutMs: 600_000 },
    );
    process.kill(-(child.pid ?? 0), "SIGINT");
    expect(await ended, said.join("")).to.deep.equal([1, null]);
    expect(said.join(""))
      .to.contain("The deploy of v1 to blue was interrupted")
      .and.match(/^live green · /m)
      .and.contain("to continue: pulumi up")
      .and.contain(`or back:  pulumi config rm blueTag --stack ${test.name}`);
    const again = await bluegreen(test, "deploy", "v1", "--switch", "--yes");
    expect(again.code, again.said).to.equal(0);
    await users.answeredBy("blue");
    expect((await users.stop()).failures).to.deep.equal([]);
    expect(await status()).to.include({ code: 0, live: "blue" });
  });
});
