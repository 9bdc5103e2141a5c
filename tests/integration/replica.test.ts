import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inspect } from "node:util";
import { expect } from "chai";
import { messageOf, otherColor, poll, type Color } from "@bluegreen/release";
import { handover, type Handover } from "@bluegreen/release/replication/replica/handover";
import type { ReplicaOptions } from "@bluegreen/release/replication/strategy";
import { reconcile, sync } from "@bluegreen/release/replication/replica/reconcile";
import { startPostgres } from "../../local/services/postgres";
import { query } from "../../local/testing/database";
import { withUser } from "./migrationFolder";
import { cutConnections } from "../support/cutConnections";
import { everyCase, oneIn } from "../support/everyCase";
import { failureOf } from "../support/read";
import { startReplicaPair, type ReplicaPair } from "./replicaPair";
import { Reader, Writers } from "./users";

describe("Databases as primary and standby, on two real PostgreSQL servers", function () {
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
  const live = () => traffic;
  const pair = () => servers.live(traffic);

  /** A whole switch, as the program does it. */
  const switchOver = async (options: ReplicaOptions = {}) => {
    await sync(pair());
    const handing = await handover(pair(), { say, ...options });
    await handing.confirm();
    traffic = otherColor(traffic);
    await handing.complete();
    return reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand });
  };

  it("switches, and back again, without a write lost or doubled and without a read that fails", async () => {
    await sync(pair());
    const readers = [new Reader(servers.url("green")), new Reader(servers.url("blue"))];
    expect(await failureOf(query(servers.url("green"), "INSERT INTO notes VALUES (0)"))).to.contain(
      "read-only transaction",
    );
    const handing = await handover(pair(), { say });
    await handing.confirm();
    traffic = "green";
    await Promise.all(readers.map((reader) => reader.end()));
    expect(readers.map(({ failures }) => failures)).to.deep.equal([[], []]);
    expect(Math.min(...readers.map(({ reads }) => reads))).to.be.greaterThan(2);
    await handing.complete();
    await writers.goOn();
    expect(await failureOf(query(servers.url("blue"), "INSERT INTO notes VALUES (0)"))).to.contain(
      "read-only transaction",
    );
    expect(await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand })).to.deep.equal({
      followed: true,
    });
    expect(said.join("\n")).to.contain("rebuild of blue: rewound by pg_rewind");
    await writers.goOn();

    expect(await switchOver()).to.deep.equal({ followed: true });
    expect(traffic).to.equal("blue");
    await writers.goOn();
    expect(await switchOver()).to.deep.equal({ followed: true });
    await writers.goOn();
    await writers.end();
    expect(await writers.missingAndDoubled(servers.url("green"))).to.deep.equal({ missing: [], doubled: [] });
    console.log(
      `      ${writers.acknowledged.length} writes acknowledged over three switches; the longest took ${Math.round(writers.longestMs)} ms; ${said.filter((line) => line.includes("waited")).join("; ")}`,
    );
  });

  describe("killed", () => {
    /**
     * Hands over in a process of its own, which kills itself at its Nth query, just after it was sent, or
     * before one that begins so. Says when traffic may move.
     */
    const child = `
      const { Client } = require("pg");
      const { writeSync } = require("node:fs");
      const send = Client.prototype.query;
      const { PAIR, KILL_AT, KILL_BEFORE } = process.env;
      const die = () => process.kill(process.pid, "SIGKILL");
      let queries = 0;
      Client.prototype.query = function (...query) {
        // How often a session polls again is the clock's: each of its queries counts once.
        this.sent ??= new Set();
        if (String(query[0]).includes("pg_blocking_pids") || this.sent.has(String(query[0]))) return send.apply(this, query);
        this.sent.add(String(query[0]));
        if (KILL_BEFORE !== "" && String(query[0]).startsWith(KILL_BEFORE)) die();
        if (++queries === Number(KILL_AT)) {
          writeSync(1, "last: " + String(query[0]).replace(/\\s+/g, " ") + "\\n");
          setImmediate(die);
        }
        return send.apply(this, query);
      };
      require("@bluegreen/release/replication/replica/handover").handover(JSON.parse(PAIR)).then(async (handing) => {
        await handing.confirm();
        writeSync(1, "flip\\n");
        process.stdin.once("data", () => handing.complete().then(() => process.exit()));
      });
    `;

    /** @returns the query at which it was killed; undefined when it came to its end */
    const handOverInChild = async (killAt: number, killBefore = "") => {
      const handing = spawn(process.execPath, ["-e", child], {
        env: {
          ...process.env,
          PAIR: JSON.stringify(pair()),
          KILL_AT: String(killAt),
          KILL_BEFORE: killBefore,
        },
        stdio: ["pipe", "pipe", "inherit"],
      });
      let last: string | undefined;
      createInterface({ input: handing.stdout }).on("line", (line) => {
        if (line.startsWith("last: ")) last = line.slice(6);
        if (line !== "flip") return;
        traffic = otherColor(traffic);
        handing.stdin.write("flipped");
      });
      await once(handing, "close");
      return last;
    };

    it("at any query before traffic moves: users continue, lose nothing, and the next run brings it to an end", async function () {
      const killedAt: string[] = [];
      let rebuilt = 0;
      for (let killAt = 1; ; killAt += oneIn(7)) {
        const last = await handOverInChild(killAt);
        if (last === undefined || live() === "green") break;
        killedAt.push(last);
        await writers.goOn();
        const found = await sync(pair()).then(() => "a standby", String);
        if (found !== "a standby") {
          expect(found, last).to.contain("green is no standby of blue").and.contain("it was promoted at 20");
          expect(
            await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand }),
            last,
          ).to.deep.equal({
            followed: true,
          });
          rebuilt++;
        }
        expect(await writers.missingAndDoubled(servers.url("blue")), last).to.deep.equal({
          missing: [],
          doubled: [],
        });
      }
      expect(writers.failures).to.deep.equal([]);
      expect(killedAt).to.have.length.greaterThan(2);
      for (const point of everyCase
        ? [
            "DO $lock$",
            "pg_logical_emit_message",
            "pg_last_wal_replay_lsn",
            "pg_promote",
            "SET bluegreen.handover",
          ]
        : []) {
        expect(
          killedAt.some((each) => each.includes(point)),
          point,
        ).to.equal(true);
      }
      if (everyCase) expect(rebuilt).to.be.greaterThan(1);
      console.log(
        `      killed at each of ${killedAt.length} queries, ${rebuilt} of them after the promotion`,
      );
    });

    it("after traffic has moved: what was written to the old server meanwhile is kept, and said", async () => {
      await handOverInChild(0, "ALTER SYSTEM SET default_transaction_read_only = on");
      expect(traffic).to.equal("green");
      await writers.goOn();
      await writers.end();
      const { missing } = await writers.missingAndDoubled(servers.url("green"));
      expect(missing).not.to.deep.equal([]);
      const reconciled = await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand });
      expect(reconciled)
        .to.have.property("reason")
        .that.matches(new RegExp(`blue began [${missing.length}-9] transactions after it was left`));
      expect(said).to.deep.equal([]);
      expect(await failureOf(query(servers.url("blue"), "INSERT INTO notes VALUES (0)"))).to.contain(
        "read-only transaction",
      );
      const kept = await query(servers.url("blue"), "SELECT id FROM notes WHERE id = ANY ($1) ORDER BY id", [
        missing,
      ]);
      expect(kept.map(({ id }) => id)).to.deep.equal(missing.sort((left, right) => left - right));
      expect(
        await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand, allowDataLoss: true }),
      ).to.deep.equal({ followed: true });
    });
  });

  it("cut off from a server before and after each statement: users write on, it says which connection broke, and the next run brings it to an end", async function () {
    const network = cutConnections();
    const cutAt: string[] = [];
    const lost: number[] = [];
    let rebuilt = 0;
    let isOver = false;
    const through = async () => {
      const { live: from, idle: to } = pair();
      return {
        live: { ...from, adminUrl: await network.through(from.adminUrl) },
        idle: { ...to, adminUrl: await network.through(to.adminUrl) },
      };
    };
    try {
      for (let number = 1; !isOver; number += oneIn(10)) {
        for (const when of ["before", "after"] as const) {
          const cuttable = await through();
          let failed: string | undefined;
          let handing: Handover | undefined;
          const before = traffic;
          const statement = await network.cutting({ number, when }, async () => {
            try {
              handing = await handover(cuttable, { say });
              await handing.confirm();
              traffic = otherColor(traffic);
              await handing.complete();
            } catch (error) {
              failed = messageOf(error);
              if (traffic === before) await handing?.cancel().catch(() => undefined);
            }
          });
          isOver = statement === undefined;
          const at = `${when} ${statement ?? "nothing"}, ${traffic} live`;
          if (!isOver) cutAt.push(at);
          if (failed !== undefined)
            expect(failed, at).to.match(
              /The connection to the server of (blue|green) broke|The server of (blue|green) could not be asked|The writers of the live database do not wait any longer|(no|the) connection to the live database/,
            );
          // Before traffic moves, users notice nothing. Afterwards the update reconciles at once what the
          // handover could not: those who wait on the old server come to the new one.
          if (traffic === before) await writers.goOn();
          if ((await sync(pair()).then(() => "a standby", String)) === "a standby") continue;
          rebuilt++;
          const reconciled = await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand });
          await writers.goOn();
          if (reconciled.followed) continue;
          // Out of reach right after traffic had moved, it let the writers go, who wrote to it: that is kept,
          // and said.
          expect(reconciled.reason, at).to.match(/began \d+ transactions after it was left/);
          lost.push(
            ...(await writers.missingAndDoubled(servers.url(traffic))).missing.filter(
              (id) => !lost.includes(id),
            ),
          );
          expect(
            await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand, allowDataLoss: true }),
            at,
          ).to.deep.equal({ followed: true });
        }
      }
    } finally {
      network.close();
    }
    await writers.end();
    const { missing, doubled } = await writers.missingAndDoubled(servers.url(traffic));
    expect({ missing: missing.sort((left, right) => left - right), doubled }).to.deep.equal({
      missing: lost.sort((left, right) => left - right),
      doubled: [],
    });
    expect(cutAt).to.have.length.greaterThan(5);
    for (const part of everyCase
      ? [
          "DO $lock$",
          "pg_logical_emit_message",
          "pg_last_wal_replay_lsn",
          "pg_promote",
          "SET bluegreen.handover",
          "ALTER SYSTEM SET default_transaction_read_only",
          "pg_terminate_backend",
        ]
      : []) {
      for (const when of ["before", "after"])
        expect(
          cutAt.some((at) => at.startsWith(when) && at.includes(part)),
          `${when} ${part}`,
        ).to.equal(true);
    }
    console.log(`      cut at ${cutAt.length} points, ${rebuilt} rebuilds`);
  });

  it("holds the writers of every database, and lets them continue when traffic stays", async () => {
    await query(servers.url("blue"), "CREATE DATABASE another");
    const another = servers.url("blue").replace(/postgres$/, "another");
    await query(another, "CREATE TABLE notes (id int)");
    const handing = await handover(pair());
    let written = false;
    const write = query(another, "INSERT INTO notes VALUES (1)").then(() => (written = true));
    await poll(
      async () =>
        (
          await query(
            servers.url("blue"),
            "SELECT 1 FROM pg_stat_activity WHERE datname = 'another' AND wait_event_type = 'Lock'",
          )
        )[0],
      { timeoutMs: 300_000, intervalMs: 20 },
    );
    expect(written).to.equal(false);
    const canceledAt = performance.now();
    await handing.cancel();
    await write;
    await writers.goOn();
    // By themselves they would after the 30 s without a word from this program.
    expect(performance.now() - canceledAt).to.be.lessThan(10_000);
    expect(writers.failures).to.deep.equal([]);
  });

  it("does not lose sight of writers that were let go after traffic had moved", async () => {
    const handing = await handover(pair(), { say });
    traffic = "green";
    await query(
      servers.url("blue"),
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bluegreen handover'",
    );
    await writers.goOn();
    await handing.complete();
    expect(await reconcile(pair(), { rebuildCommand: servers.rebuildCommand }))
      .to.have.property("reason")
      .that.contains("after it was left");
  });

  it("keeps what users wrote to a promoted server when traffic was rolled back past the release", async () => {
    const handing = await handover(pair());
    await query(servers.url("green"), "INSERT INTO notes VALUES (-2)");
    await handing.cancel();
    await writers.goOn();
    expect(await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand }))
      .to.have.property("reason")
      .that.contains("green began 1 transactions after it was promoted");
    expect(await query(servers.url("green"), "SELECT id FROM notes WHERE id = -2")).to.have.length(1);
    expect(
      await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand, allowDataLoss: true }),
    ).to.deep.equal({ followed: true });
  });

  describe("refuses", () => {
    it("a standby on which every commit would wait for a standby of its own", async () => {
      await query(servers.url("green"), "ALTER SYSTEM SET synchronous_standby_names = '*'");
      await query(servers.url("green"), "SELECT pg_reload_conf()");
      await poll(
        async () =>
          (await query(servers.url("green"), "SHOW synchronous_standby_names"))[0]?.[
            "synchronous_standby_names"
          ] === "*"
            ? true
            : undefined,
        { timeoutMs: 300_000 },
      );
      for (const work of [sync, handover])
        expect(await failureOf(work(pair()))).to.contain(
          "the server of green has synchronous_standby_names = *",
        );
      await writers.goOn();
    });

    it("a standby that is behind, within its budget", async () => {
      await query(servers.url("green"), "SELECT pg_wal_replay_pause()");
      await writers.goOn();
      const startedAt = performance.now();
      for (const refused of [
        await failureOf(sync(pair(), { budgetMs: 500 })),
        await failureOf(handover(pair(), { budgetMs: 500 })),
      ]) {
        expect(refused).to.match(
          /it is \d+ bytes of WAL behind, waited 0\.5 s; its replay is paused: SELECT pg_wal_replay_resume\(\)/,
        );
      }
      const triedMs = performance.now() - startedAt;
      expect(await reconcile(pair(), { budgetMs: 500, rebuildCommand: ["false"] })).to.have.property(
        "next",
        "wait until it follows",
      );
      expect(writers.longestMs, "a writer waits for a try, and no longer").to.be.lessThan(triedMs);
      await query(servers.url("green"), "SELECT pg_wal_replay_resume()");
      expect(await switchOver()).to.deep.equal({ followed: true });
    });

    it("a standby that stops following while the writers wait: they continue", async () => {
      await withUser(servers.url("blue"), async (user) => {
        await user.query("BEGIN; INSERT INTO notes VALUES (-1)");
        const refused = await failureOf(
          handover(pair(), {
            budgetMs: 4000,
            // The first try to hold the writers has met the user's transaction.
            say: () =>
              void query(servers.url("green"), "SELECT pg_wal_replay_pause()").then(() =>
                user.query("COMMIT"),
              ),
          }),
        );
        expect(refused).to.contain("its writers continue").and.contain("replay is paused");
      });
      await writers.goOn();
      await query(servers.url("green"), "SELECT pg_wal_replay_resume()");
      await sync(pair());
      expect(writers.failures).to.deep.equal([]);
    });

    it("to continue when the writers do not wait any longer, and says what became of the standby", async () => {
      const handing = await handover(pair());
      await query(
        servers.url("blue"),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bluegreen handover'",
      );
      expect(await failureOf(handing.confirm())).to.contain("do not wait any longer");
      await handing.cancel();
      await writers.goOn();
      expect(await failureOf(sync(pair(), { rebuildCommand: ["make", "a standby"] })))
        .to.contain("green is no standby of blue")
        .and.contain("it was promoted at")
        .and.contain("next: PRIMARY_COLOR=blue STANDBY_COLOR=green make 'a standby'");
      expect(await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand })).to.deep.equal({
        followed: true,
      });
      expect(await switchOver()).to.deep.equal({ followed: true });
    });

    it("the rollback to a server that does not follow, unless the loss is accepted", async () => {
      const handing = await handover(pair());
      traffic = "green";
      await handing.complete();
      const notes = "SELECT id FROM notes ORDER BY id";
      const atTheSwitch = await query(servers.url("blue"), notes);
      expect(await reconcile(pair()))
        .to.have.property("reason")
        .that.matches(
          /left behind by the switch to green at 20.*; since then green has written \d+ bytes of WAL/,
        );
      await writers.goOn();
      expect(await failureOf(handover(pair())))
        .to.match(
          /not handed over from green to blue[^]*left behind by the switch to green at 20\S+Z \(WAL position [0-9A-F]+\/[0-9A-F]+\); since then green has written \d+ bytes/,
        )
        .and.contain("pulumi config set --path database.allowDataLoss true");
      await writers.goOn();

      const back = await handover(pair(), { say, allowDataLoss: true });
      expect(await query(servers.url("blue"), notes)).to.deep.equal(atTheSwitch);
      traffic = "blue";
      await back.complete();
      await writers.end();
      expect(said.join()).to.contain("blue takes writes as it is: it was left behind");
      await query(servers.url("blue"), "INSERT INTO notes VALUES (-1)");
      expect(await failureOf(query(servers.url("green"), "INSERT INTO notes VALUES (-2)"))).to.contain(
        "read-only transaction",
      );
      // A loss that was accepted once is none that may happen to what users write now.
      expect(await failureOf(handover(pair(), { allowDataLoss: true }))).to.contain(
        "traffic has not moved there or was rolled back",
      );
      expect(await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand })).to.deep.equal({
        followed: true,
      });
      expect(await query(servers.url("green"), notes)).to.deep.equal(await query(servers.url("blue"), notes));
    });

    it("two at once", async () => {
      const handing = await handover(pair());
      expect(await failureOf(handover(pair()))).to.match(
        /not touched \(server of blue\): another run holds the lock \(pid \d+, user postgres/,
      );
      expect(await failureOf(reconcile(pair()))).to.contain("another run holds the lock");
      await handing.confirm();
      traffic = "green";
      await handing.complete();
      await writers.goOn();
    });

    it("a server that is no copy of the live one, and does not touch it", async () => {
      const dir = await mkdtemp(join(tmpdir(), "bg-str-"));
      await chmod(dir, 0o755);
      const stranger = await startPostgres({ dir: join(dir, "pg") });
      try {
        const { live, idle } = pair();
        const wrong = { live, idle: { ...idle, adminUrl: stranger.adminUrl } };
        for (const work of [sync, handover, reconcile]) {
          expect(await failureOf(work(wrong, { allowDataLoss: true, rebuildCommand: ["true"] }))).to.match(
            /system identifier is \d+, that of blue is \d+/,
          );
        }
        await query(stranger.adminUrl, "CREATE TABLE still_writable ()");
      } finally {
        await stranger.stop();
        await rm(dir, { recursive: true, force: true });
      }
    });

    it("two URLs of the same server, and a live color on the standby", async () => {
      const { live, idle } = pair();
      expect(await failureOf(reconcile({ live, idle: { ...idle, adminUrl: live.adminUrl } }))).to.contain(
        "both URLs point to the same server",
      );
      expect(await failureOf(reconcile(servers.live("green")))).to.contain(
        "the server of green, the live color, is a standby",
      );
      await writers.goOn();
    });

    it("wrong credentials and a role without rights, and shows no password", async () => {
      await query(servers.url("blue"), "CREATE ROLE app LOGIN PASSWORD 'the-right-one'");
      const hba = join(servers.folder("blue"), "data", "pg_hba.conf");
      await writeFile(hba, `local all app scram-sha-256\n${await readFile(hba, "utf8")}`);
      await query(servers.url("blue"), "SELECT pg_reload_conf()");
      const { live, idle } = pair();
      const withUrl = (adminUrl: string) => ({ live: { ...live, adminUrl }, idle });
      const urls = {
        "password authentication failed": live.adminUrl.replace("postgres@", "app:hunter2-wrong@"),
        "is no superuser": live.adminUrl.replace("postgres@", "app:the-right-one@"),
        "the URL cannot be read": "postgresql://app:hunter2@[/postgres",
        // A password that was not encoded takes the place of the host.
        "next: check": "postgresql://hunter2/x@blue/postgres",
      };
      for (const [reason, url] of Object.entries(urls)) {
        for (const work of [sync, handover, reconcile]) {
          const error: unknown = await work(withUrl(url)).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          expect(String(error)).to.contain(reason);
          expect(inspect(error, { depth: 10 })).not.to.match(/hunter2|the-right-one/);
        }
      }
    });
  });

  describe("rebuilds the old primary", () => {
    const switchAlone = async () => {
      const handing = await handover(pair());
      traffic = "green";
      await handing.complete();
    };

    it("by a command whose failure it shows without passwords, as often as it takes", async () => {
      await switchAlone();
      const { live, idle } = pair();
      const secret = { live: { ...live, peerUrl: "postgresql://app:hunter%202@green/postgres" }, idle };
      const says = (script: string) =>
        failureOf(reconcile(secret, { say, rebuildCommand: ["sh", "-c", script] }));
      expect(
        await says(
          "echo copying to $STANDBY_COLOR from $PRIMARY_COLOR; echo 'no route for hunter 2' >&2; exit 3",
        ),
      )
        .to.contain("the rebuild command ended with code 3")
        .and.contain("copying to blue from green")
        .and.contain("no route for [secret]")
        .and.contain("traffic is on green");
      expect(said).to.include("rebuild of blue: no route for [secret]");
      expect(await says("kill -9 $$")).to.contain("was ended by SIGKILL");
      expect(await says("true")).to.contain("although the rebuild command ended with 0");
      expect(await failureOf(reconcile(pair(), { rebuildCommand: ["/nonexistent/rebuild"] }))).to.contain(
        "could not be started (spawn /nonexistent/rebuild ENOENT)",
      );
      expect(await failureOf(query(servers.url("blue"), "INSERT INTO notes VALUES (0)"))).to.contain(
        "read-only transaction",
      );
      await writers.goOn();
      expect(await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand })).to.deep.equal({
        followed: true,
      });
      expect(await reconcile(pair(), { rebuildCommand: ["false"] })).to.deep.equal({ followed: true });
    });

    it("also when it does not run, or its data is gone", async () => {
      await switchAlone();
      await servers.stop("blue");
      expect(await failureOf(reconcile(pair())))
        .to.contain("The server of blue could not be asked")
        .and.contain("ENOENT");
      await rm(join(servers.folder("blue"), "data"), { recursive: true });
      expect(await reconcile(pair(), { say, rebuildCommand: servers.rebuildCommand })).to.deep.equal({
        followed: true,
      });
      expect(said.join()).to.contain("all is copied by pg_basebackup");
      expect(await switchOver()).to.deep.equal({ followed: true });
      await writers.goOn();
      await writers.end();
      expect(await writers.missingAndDoubled(servers.url("blue"))).to.deep.equal({
        missing: [],
        doubled: [],
      });
    });
  });
});
