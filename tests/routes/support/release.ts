import { expect } from "chai";
import { connect } from "@bluegreen/release";
import { rollback } from "@bluegreen/release/rollback/rollback";
import { readGiven } from "@bluegreen/release/traffic/move";
import { routers, type RouterName } from "@bluegreen/release/routers/routers";
import { failureOf, liveColor } from "../../support/read";
import { twoVersions } from "../../../local/testing/testStack";
import { makeCertificate, makeRoutedStack, type RoutedStack } from "./routedStack";

const app = "chatgpt-app";
const requests = 10_000;
/**
 * Of a fair draw of that many at 10 %, five standard deviations: one run in two million would miss it by
 * chance.
 */
const sigmas = 5;

/** The same for every route. */
export function describeRelease(route: RouterName): void {
  describe(`A release by weights, with the route ${route} at a real edge`, function () {
    let test: RoutedStack;
    let password = "";
    let token = "";
    const affinity = routers[route].can.affinityCookie ? "cookie" : "none";
    before(async () => {
      test = await makeRoutedStack(route, twoVersions);
    });
    after(() => test.remove());

    const where = () => ({
      context: test.stage.context,
      namespace: test.cluster.namespace,
      namespacePerColor: false,
      app,
    });

    it("lets users in by TLS, to blue alone", async () => {
      await test.set({ activeColor: "blue", blueTag: "v1" });
      await test.stack.up();
      await makeCertificate(test);
      await test.visitor.askUntil(({ color }) => color === "blue", "/widget");
      expect(await test.visitor.count(200)).to.deep.equal({ blue: 200 });
      const outputs = await test.stack.outputs();
      password = String(outputs["previewPassword"]?.value);
      token = String(outputs["previewToken"]?.value);
    });

    it("shows green to testers before users: by header, by cookie and by its path, and to nobody without password or token", async () => {
      await test.set({ greenTag: "v2" });
      await test.stack.up();
      const { visitor } = test;
      const header = { "x-bluegreen-preview": token };
      await visitor.askUntil(({ color }) => color === "green", "/widget", header);
      expect(
        (await visitor.ask("/widget", { cookie: `a=b; bluegreen-preview-${token}=always; c=d` })).color,
      ).to.equal("green");
      const wrong = [
        { "x-bluegreen-preview": "wrong" },
        { "x-bluegreen-preview": password },
        { cookie: "bluegreen-preview-wrong=always" },
        { cookie: `x=bluegreen-preview-${token}` },
      ];
      for (const headers of wrong)
        expect((await visitor.ask("/widget", headers)).color, JSON.stringify(headers)).to.equal("blue");
      const key =
        route === "gateway"
          ? header
          : { authorization: `Basic ${Buffer.from(`preview:${password}`).toString("base64")}` };
      for (const color of ["blue", "green"]) {
        const seen = await visitor.askUntil(({ status }) => status === 200, `/${color}/health`, key);
        expect(seen.color).to.equal(color);
        const stranger = await visitor.ask(`/${color}/health`);
        // With the Gateway API it is a path like any other for those without the header.
        if (route === "gateway") expect([stranger.status, stranger.color]).to.deep.equal([404, "blue"]);
        else expect([stranger.status, stranger.color]).to.deep.equal([401, undefined]);
      }
      expect((await visitor.ask("/greenhouse")).color, "no path of a color").to.equal("blue");
    });

    it("gives green a canary weight as it is told, and says what green really got", async () => {
      await test.set({
        canaryWeight: 10,
        canaryStepSeconds: 8,
        traffic: { ...test.traffic, affinity },
      });
      const said: string[] = [];
      const crowd = test.visitor.crowd();
      await test.stack.up({ onOutput: (line) => said.push(line) });
      await crowd.stop();
      expect(crowd.failures).to.deep.equal([]);
      const counts = await test.visitor.count(requests);
      const { blue = 0, green = 0 } = counts;
      console.log(`      of ${requests} requests: blue ${blue}, green ${green}`);
      expect(blue + green).to.equal(requests);
      expect(Math.abs(green - requests / 10)).to.be.below(sigmas * Math.sqrt(requests * 0.1 * 0.9));
      expect(await readGiven(test.cluster, app, route)).to.deep.include({ weights: { blue: 90, green: 10 } });
      expect(await liveColor(test.cluster), "the live color stays").to.equal("blue");
      expect(said.join("\n")).to.match(/analysis of green .*requests/);
    });

    it(
      affinity === "cookie"
        ? "keeps who has its cookie with a color as long as that has a weight"
        : "has no cookie that keeps anybody with a color, and config says so",
      async () => {
        const { visitor } = test;
        if (affinity === "none") {
          await test.set({ traffic: { ...test.traffic, affinity: "cookie" } });
          expect(await failureOf(test.stack.preview())).to.contain("affinity");
          await test.set({ traffic: test.traffic });
          return;
        }
        const seen = new Set<string>();
        for (let user = 0; user < 40; user++) {
          const first = await visitor.ask("/widget");
          const cookie = (first.headers["set-cookie"] ?? []).map((each) => each.split(";")[0]).join("; ");
          expect(cookie, "how it is kept").to.contain("chatgpt-app-color=");
          const answers = await Promise.all(
            Array.from({ length: 10 }, () => visitor.ask("/widget", { cookie })),
          );
          expect(new Set(answers.map(({ color }) => color)), `user ${user}`).to.deep.equal(
            new Set([first.color]),
          );
          seen.add(first.color ?? "none");
        }
        expect([...seen].sort(), "whom 40 users without a cookie came to").to.deep.equal(["blue", "green"]);
      },
    );

    it("refuses another version for the color with a canary weight, and a shift together with a switch", async () => {
      await test.set({ greenTag: "v1" });
      expect(await failureOf(test.stack.preview())).to.contain(
        "green serves 10 % of traffic and may not change in place",
      );
      await test.set({ greenTag: "v2", activeColor: "green", canaryWeight: 10 });
      expect(await failureOf(test.stack.preview())).to.contain(
        "a switch from blue to green and a canary weight of 10 % for blue",
      );
      await test.set({ activeColor: "blue", canaryWeight: 0 });
    });

    it("moves everybody to green without a failed request", async () => {
      const crowd = test.visitor.crowd();
      await crowd.untilOnly("blue").catch(() => undefined);
      await test.set({ activeColor: "green" });
      await test.stack.up();
      await crowd.untilOnly("green");
      await crowd.stop();
      expect(crowd.failures).to.deep.equal([]);
      expect(await test.visitor.count(200)).to.deep.equal({ green: 200 });
      expect(await readGiven(test.cluster, app, route)).to.deep.include({ weights: { blue: 0, green: 100 } });
    });

    it("rolls back all traffic by hand within seconds, and the next update agrees", async () => {
      const crowd = test.visitor.crowd();
      await crowd.untilOnly("green");
      const started = performance.now();
      const { seconds } = await rollback(
        where(),
        {
          from: "green",
          why: "a test",
          strategy: "shared",
          databaseSecret: "db-credentials",
          runIn: "update",
          settings: { route, database: null, connectionDrainSeconds: 30 },
          fewer: false,
        },
        () => undefined,
      );
      await crowd.untilOnly("blue");
      console.log(
        `      ${seconds.toFixed(2)} s by the command, ${((performance.now() - started) / 1000).toFixed(2)} s until twenty answers in a row were blue`,
      );
      expect(await liveColor(connect(where()))).to.equal("blue");
      await test.set({ activeColor: "blue" });
      await test.stack.up();
      await crowd.untilOnly("blue");
      await crowd.stop();
      expect(crowd.failures).to.deep.equal([]);
    });
  });
}
