import { expect } from "chai";
import { names } from "@bluegreen/release";
import {
  parseRange,
  whyIncompatible,
  incompatible,
  staying,
  type RunningVersion,
} from "@bluegreen/release/migrations/versions";
import { whyUnready } from "@bluegreen/release/gates/podCheck";
import { contractObstacles, type ContractFacts } from "@bluegreen/release/migrations/contractGate";

const expand = (id: string) => ({ id, name: "more", phase: "expand", checksum: "" }) as const;
const dropping = (id: string) => ({ id, name: "drop_old", phase: "contract", checksum: "" }) as const;
const version = (part: Partial<RunningVersion> = {}): RunningVersion => ({
  color: "green",
  template: "g",
  image: "app:v2",
  sessionName: "chatgpt-app-green v2",
  range: { needs: "0002", knows: "0003" },
  ...part,
});

describe("The schema range of an image", () => {
  it("is read from the answer of /ready, which may say anything", () => {
    expect(
      parseRange({ ready: true, schema: { needs: "0001", knows: "0002", applied: "0005" } }),
    ).to.deep.equal({ needs: "0001", knows: "0002" });
    for (const body of [
      undefined,
      null,
      "ok",
      {},
      { schema: null },
      { schema: { needs: "0001" } },
      { schema: { needs: 1, knows: 2 } },
      { schema: { needs: "0001; DROP", knows: "0002" } },
    ]) {
      expect(parseRange(body), JSON.stringify(body)).to.equal(undefined);
    }
  });

  it("begins with the migration that it needs", () => {
    const range = { needs: "0002", knows: "0002" };
    expect(whyIncompatible(range, [expand("0001"), expand("0002")])).to.equal(undefined);
    expect(whyIncompatible(range, [expand("0001")])).to.equal(
      "it needs migration 0002, and the schema is at 0001",
    );
    expect(whyIncompatible(range, [])).to.contain("the schema is at none");
  });

  it("ends with the first contract migration that it does not know; what only adds leaves it whole", () => {
    const range = { needs: "0001", knows: "0002" };
    expect(
      whyIncompatible(range, [expand("0001"), dropping("0002"), expand("0003"), expand("0004")]),
    ).to.equal(undefined);
    expect(whyIncompatible(range, [expand("0001"), dropping("0003"), expand("0004")])).to.equal(
      "it knows migrations up to 0002, and 0003_drop_old takes away what older versions use",
    );
  });

  it("is nothing where none is stated: then nothing may have been taken away", () => {
    expect(whyIncompatible(undefined, [expand("0001")])).to.equal(undefined);
    expect(whyIncompatible(undefined, [expand("0001"), dropping("0002")])).to.contain(
      "states no schema range in the answer of /ready",
    );
  });

  it("counts for the versions that an update leaves there", () => {
    const versions = [version({ color: "blue", template: "b" }), version()];
    expect(staying(versions, { blue: "b", green: "new" })).to.deep.equal([versions[0]]);
    expect(staying(versions, { blue: null, green: "g" })).to.deep.equal([versions[1]]);
    const [refusal] = incompatible("The migration", versions, [expand("0001")]);
    expect(refusal?.message)
      .to.contain("The migration was refused: blue (app:v2) would not work")
      .and.contain("needs migration 0002")
      .and.contain("pulumi config set blueTag");
  });
});

describe("The reason of a pod that is not ready", () => {
  it("is final when it waits for a migration that will not come", () => {
    expect(
      whyUnready({ ready: false, reason: "schema_too_old", schema: { needs: "0003", applied: "0002" } }),
    ).to.deep.equal({
      text: "schema_too_old: it needs migration 0003, the database is at 0002",
      final: true,
    });
  });

  it("may pass in all other cases", () => {
    expect(
      whyUnready({ reason: "redis_unavailable", schema: { needs: "0001", applied: "0002" } }),
    ).to.deep.equal({ text: "redis_unavailable", final: false });
    // The database does not answer: nobody knows what is applied.
    expect(
      whyUnready({ reason: "database_unavailable", schema: { needs: "0001", applied: null } })?.final,
    ).to.equal(false);
    for (const body of [undefined, "no", { reason: 5 }, {}]) expect(whyUnready(body)).to.equal(undefined);
  });
});

describe("The name of a version's database sessions", () => {
  it("is never cut off by PostgreSQL, which would make two versions the same", () => {
    expect(names.session("chatgpt-app", "blue", "v1.2.3")).to.equal("chatgpt-app-blue v1.2.3");
    const long = [
      names.session("chatgpt-app", "green", `${"x".repeat(100)}1`),
      names.session("chatgpt-app", "green", `${"x".repeat(100)}2`),
    ];
    expect(new Set(long).size).to.equal(2);
    for (const name of long) expect(name.length).to.be.at.most(63);
  });
});

describe("The time of a contract migration", () => {
  const switchedAt = new Date("2026-01-01T00:00:00Z");
  const facts = (part: Partial<ContractFacts> = {}): ContractFacts => ({
    wanted: [dropping("0003")],
    missing: [],
    activeColor: "green",
    live: "green",
    elsewhere: [],
    versions: [version()],
    lastSwitch: { color: "green", version: "v2", template: "g", switchedAt, hoursAgo: 25 },
    afterHours: 24,
    sessions: [
      { pid: 7, user: "app", application: "chatgpt-app-green v2", address: "10.0.0.2", since: switchedAt },
    ],
    ...part,
  });
  const only = (part: Partial<ContractFacts>) => {
    const reasons = contractObstacles(facts(part));
    expect(reasons, reasons.join("\n")).to.have.length(1);
    return reasons[0];
  };

  it("has come when the switch is long ago, and only versions that know it run and are connected", () => {
    expect(contractObstacles(facts())).to.deep.equal([]);
    expect(
      contractObstacles(
        facts({ lastSwitch: { color: "green", version: "v2", template: "g", switchedAt, hoursAgo: 24 } }),
      ),
    ).to.deep.equal([]);
    // Updated, not retired: the standby runs a version that knows it.
    const standby = version({ color: "blue", template: "b", sessionName: "chatgpt-app-blue v3" });
    expect(
      contractObstacles(
        facts({
          versions: [version(), standby],
          sessions: [
            {
              pid: 8,
              user: "app",
              application: "chatgpt-app-blue v3",
              address: "10.0.0.3",
              since: switchedAt,
            },
          ],
        }),
      ),
    ).to.deep.equal([]);
  });

  it("has not come before the hours are over; it says when", () => {
    const lastSwitch = { color: "green", version: "v2", template: "g", switchedAt, hoursAgo: 23.9 } as const;
    expect(only({ lastSwitch }))
      .to.contain("23.9 h ago")
      .and.contain("due 2026-01-02T00:00:00.000Z by the database's clock");
    expect(only({ lastSwitch: { ...lastSwitch, hoursAgo: 30 }, afterHours: 48 }))
      .to.contain("for 48 h")
      .and.contain("due 2026-01-03");
  });

  it("has not come where the switch to what serves now was never noted", () => {
    expect(only({ lastSwitch: undefined })).to.contain("no note of the switch to green");
    expect(
      only({ lastSwitch: { color: "blue", version: "v1", template: "b", switchedAt, hoursAgo: 99 } }),
    ).to.contain("no note");
    expect(
      only({ lastSwitch: { color: "green", version: "v2", template: "other", switchedAt, hoursAgo: 99 } }),
      "changed in place since",
    ).to.contain("no note");
  });

  it("has not come while a version may use what goes; it says what to do about it", () => {
    const old = {
      color: "blue",
      template: "b",
      image: "app:v1",
      range: { needs: "0001", knows: "0002" },
    } as const;
    expect(only({ versions: [version(), version(old)] }))
      .to.contain("blue (app:v1) knows migrations up to 0002")
      .and.contain("0003_drop_old")
      .and.contain("pulumi config rm blueTag");
    expect(only({ versions: [version(), version({ ...old, range: undefined })] }))
      .to.contain("states no schema range")
      .and.contain("may still use");
    expect(
      only({ versions: [version({ range: { needs: "0002", knows: "0002" } })] }),
      "the live one",
    ).to.contain("release a version that was built with it");
  });

  it("has not come while a session of another version, or of somebody unknown, is open", () => {
    const session = {
      pid: 99,
      user: "app",
      application: "chatgpt-app-blue v1",
      address: "10.0.0.9",
      since: switchedAt,
    };
    expect(only({ sessions: [session] }))
      .to.contain('session 99 of app (application "chatgpt-app-blue v1", from 10.0.0.9')
      .and.contain("pg_terminate_backend(99)");
    expect(only({ sessions: [{ ...session, application: "psql" }] })).to.contain('"psql"');
  });

  it("does not come in an update that switches, or before older migrations are applied", () => {
    expect(contractObstacles(facts({ activeColor: "blue" })).join()).to.contain(
      "this update switches from green to blue",
    );
    expect(
      only({
        elsewhere: [
          { name: "us", live: "green" },
          { name: "eu", live: "blue" },
        ],
      }),
    ).to.contain("traffic of cluster eu is on blue, and config makes green active");
    expect(
      contractObstacles(
        facts({
          elsewhere: [
            { name: "us", live: "green" },
            { name: "eu", live: undefined },
          ],
        }),
      ),
    ).to.deep.equal([]);
    expect(
      only({ versions: [version(), version({ range: { needs: "0001", knows: "0002" }, cluster: "us" })] }),
    ).to.contain("green (app:v2) in us");
    expect(only({ missing: [expand("0002")] })).to.contain("0002_more comes before it, and is not applied");
  });
});
