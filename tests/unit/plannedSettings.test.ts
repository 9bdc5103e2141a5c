import { expect } from "chai";
import { parseSettings } from "@bluegreen/release";
import type { Settings } from "@bluegreen/release/config/settings";
import { settingsIn } from "@bluegreen/release/doctor/planned";
import { recordApp, someSettings } from "./recorder";

const app = "chatgpt-app";

/** What doctor goes by. */
const asked = ({
  namespace,
  namespacePerColor,
  createNamespaces,
  traffic: { router, gateway },
  ingressClass,
  clusterIssuer,
  autoscaling: { maxReplicas },
  quota,
  networkPolicy,
  analysis: { controllerImage },
  database: { strategy },
  databaseSecret,
  migrations: { command },
  gates,
}: Settings) => ({
  namespace,
  namespacePerColor,
  createNamespaces,
  router,
  gateway,
  ingressClass,
  clusterIssuer,
  maxReplicas,
  quota: quota.enabled,
  networkPolicy: networkPolicy.enabled,
  controllerImage,
  strategy,
  databaseSecret,
  command,
  jobs: gates.flatMap(({ job }) => (job === null ? [] : [job.image])),
});

/** Another program than config tells of: each is what its code made of the settings. */
const programs: Record<string, Record<string, string>> = {
  "as config says": {},
  "another router, by weights, in namespaces of the colors": {
    traffic: '{"strategy":"weighted","router":"traefik"}',
    namespacePerColor: "true",
    clusterIssuer: "letsencrypt",
  },
  "a Gateway": {
    traffic: '{"strategy":"weighted","router":"gateway","gateway":"edge/main/https"}',
    namespace: "shop",
    createNamespaces: "false",
  },
  "another class, and no certificate": { ingressClass: "internal", clusterIssuer: "none" },
  "no ingress, no database": { traffic: '{"router":"none"}', database: '{"strategy":"none"}', host: "" },
  "more around the pods": {
    autoscaling: '{"maxReplicas":6}',
    quota: '{"enabled":true}',
    networkPolicy: '{"enabled":false}',
    analysis: '{"controllerImage":"registry.example.com/controller:1"}',
    databaseSecret: "other-credentials",
  },
  Jobs: {
    migrations: '{"command":["rails","db:migrate"]}',
    gates: '[{"name":"load","when":"beforeSwitch","job":{"image":"grafana/k6:1"}}]',
  },
};

describe("What doctor takes from a preview, where code says other than config", () => {
  for (const [title, changes] of Object.entries(programs))
    it(`is all that it goes by: ${title}`, async () => {
      const config = { ...someSettings, ...changes };
      if (config.host === "") delete (config as { host?: string }).host;
      const { recorded } = await recordApp(config);
      const found = settingsIn(app, recorded, parseSettings(app, someSettings));
      expect(asked(found)).to.deep.equal(asked(parseSettings(app, config)));
    });

  it("is nothing where the program has no such app", () => {
    const settings = parseSettings(app, someSettings);
    expect(settingsIn(app, [], settings)).to.equal(settings);
  });
});
