import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { askVector } from "@bluegreen/release/analysis/prometheus";
import { failureOf, liveColor } from "../support/read";
import { twoVersions } from "../../local/testing/testStack";
import { startPrometheus, type Prometheus } from "../../local/testing/prometheus";
import { makeCertificate, makeRoutedStack, type RoutedStack } from "../routes/support/routedStack";

/** An app without metrics, as far as anybody knows: nothing is at that path. */
const noMetrics = { path: "/nothing-here" };

/** The real Traefik, as an ingress controller and as an implementation of the Gateway API. */
const routers = [
  { router: "traefik", requestsFrom: "router" },
  { router: "gateway", requestsFrom: "traefikGateway" },
] as const;

for (const { router, requestsFrom } of routers)
  describe(`What Prometheus has of the real Traefik and the real pods, with router ${router}`, () => {
    let test: RoutedStack;
    let prometheus: Prometheus;
    const said: string[] = [];
    const up = () => test.stack.up({ onOutput: (line) => said.push(line) });
    const analysis = (more: object) => ({
      durationSeconds: 60,
      intervalSeconds: 3,
      metrics: noMetrics,
      // What the version that fails writes into its log would convict it as well.
      logErrors: 100_000,
      prometheusUrl: prometheus.url,
      ...more,
    });

    before(async () => {
      test = await makeRoutedStack(router, [
        ...twoVersions,
        { tag: "v2-errors", release: "v2", fault: "errors" },
        { tag: "v3", release: "v2", fault: "none" },
      ]);
      prometheus = await startPrometheus(test.cluster);
      await test.set({ activeColor: "blue", blueTag: "v1" });
      await test.stack.up();
      await makeCertificate(test);
      await test.visitor.askUntil(({ color }) => color === "blue", "/widget");
    });
    after(async () => {
      await test.remove();
      await prometheus.stop();
    });

    it("rolls back a version that fails, by the router's figures alone", async () => {
      await test.set({
        greenTag: "v2-errors",
        activeColor: "green",
        analysis: analysis({ requestsFrom }),
      });
      const crowd = test.visitor.crowd();
      const error = await failureOf(up());
      await crowd.stop();
      expect(error)
        .to.contain("was rolled back: traffic is on blue again")
        .and.match(/requests? failed with 5xx/);
      expect(await liveColor(test.cluster)).to.equal("blue");
    });

    it("keeps a version that is well, and says what the router has counted", async () => {
      await test.set({
        greenTag: "v2",
        analysis: analysis({ requestsFrom, noData: "fail", durationSeconds: 20 }),
      });
      const crowd = test.visitor.crowd();
      await up();
      await crowd.stop();
      expect(await liveColor(test.cluster)).to.equal("green");
      expect(said.join("\n")).to.match(/analysis of green .* [1-9]\d* requests, 0\.0 % errors, p99/);
    });

    // Queries are asked whatever the router is.
    if (router !== "traefik") return;

    it("rolls back a version that a query of the color's pods finds worse than before", async () => {
      const requests =
        'sum(rate(http_request_duration_seconds_count{version="{{color}}",namespace="NAMESPACE"}[10s]))';
      const query = requests.replace("NAMESPACE", test.cluster.namespace);
      await poll(
        async () => {
          const found = await askVector(prometheus.url, query.replace("{{color}}", "green"), {
            maxBytes: 1e6,
            timeoutMs: 5000,
          });
          return "series" in found && found.series.length > 0 ? true : undefined;
        },
        { timeoutMs: 300_000 },
      );
      // Not v1: the rollback to what served before is not analyzed.
      await test.set({
        blueTag: "v2",
        activeColor: "blue",
        analysis: analysis({
          failureThreshold: 6,
          prometheusQueries: [{ name: "busy", query, min: 1_000_000 }],
        }),
      });
      expect(await failureOf(up())).to.match(/query busy gives .*; 1000000 is the least/);
      expect(await liveColor(test.cluster)).to.equal("green");
    });

    it("lets a query fail that has no data, where config says so", async () => {
      await test.set({
        analysis: analysis({
          failureThreshold: 6,
          prometheusQueries: [{ name: "gone", query: "no_such_metric", max: 1, whenNoData: "fail" }],
        }),
        blueTag: "v3",
      });
      expect(await failureOf(up())).to.contain("query gone has no data (the query found no series)");
      expect(await liveColor(test.cluster)).to.equal("green");
    });
  });
