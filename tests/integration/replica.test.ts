import { expect } from "chai";
import { otherColor, poll, type Color } from "@bluegreen/release";
import { handover, type HandoverOptions } from "@bluegreen/release/database/replica/handover";
import { settle } from "@bluegreen/release/database/replica/settle";
import { sync } from "@bluegreen/release/database/replica/sync";
import { query } from "./database";
import { failure } from "./migrationFolder";
import { startReplicaPair, type ReplicaPair } from "./replicaPair";
import { Reader, Writers } from "./users";

describe("Databases as primary and standby, on two real PostgreSQL servers", function () {
  this.timeout(90_000);
  let servers: ReplicaPair;
  let traffic: Color;
  let said: string[];
  let writers: Writers;
  beforeEach(async () => {
    servers = await startReplicaPair();
    await query(servers.url("blue"), "CREATE TABLE notes (id int)");
    traffic = "blue";
    said = [];
    writers = new Writers(() => servers.url(traffic));
    await writers.goOn();
  });
  afterEach(async () => {
    await writers.end();
    await servers.remove();
  });

  const say = (line: string) => said.push(line);
  const pair = () => servers.live(traffic);

  /** A whole switch, as the program does it. */
  const switchOver = async (options: HandoverOptions = {}) => {
    await sync(pair());
    const handing = await handover(pair(), { say, ...options });
    await handing.confirm();
    traffic = otherColor(traffic);
    await handing.complete();
    return settle(pair(), { say, rebuildCommand: servers.rebuildCommand });
  };

  it("switches, and back again, without a write lost or doubled and without a read that fails", async () => {
    await sync(pair());
    const readers = [new Reader(servers.url("green")), new Reader(servers.url("blue"))];
    expect(await failure(query(servers.url("green"), "INSERT INTO notes VALUES (0)"))).to.contain("read-only transaction");
    const handing = await handover(pair(), { say });
    await handing.confirm();
    traffic = "green";
    await Promise.all(readers.map((reader) => reader.end()));
    expect(readers.map(({ failures }) => failures)).to.deep.equal([[], []]);
    expect(Math.min(...readers.map(({ reads }) => reads))).to.be.greaterThan(2);
    await handing.complete();
    await writers.goOn();
    expect(await failure(query(servers.url("blue"), "INSERT INTO notes VALUES (0)"))).to.contain("read-only transaction");
    expect(await settle(pair(), { say, rebuildCommand: servers.rebuildCommand })).to.deep.equal({ followed: true });
    console.log(said.join("\n"));
    expect(said.join("\n")).to.contain("rebuild of blue: rewound by pg_rewind");
    await writers.goOn();

    expect(await switchOver()).to.deep.equal({ followed: true });
    expect(traffic).to.equal("blue");
    await writers.goOn();
    expect(await switchOver()).to.deep.equal({ followed: true });
    await writers.goOn();
    await writers.end();
    expect(await writers.missingAndDoubled(servers.url("green"))).to.deep.equal({ missing: [], doubled: [] });
    console.log(`      ${writers.acknowledged.length} writes acknowledged over three switches; the longest took ${Math.round(writers.longestMs)} ms; ${said.filter((line) => line.includes("waited")).join("; ")}`);
  });
});
