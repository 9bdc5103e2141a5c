import { expect } from "chai";
import { connect, parseSettings } from "@bluegreen/release";
import { plannedIn } from "@bluegreen/release/doctor/planned";
import { examineSecrets } from "@bluegreen/release/doctor/secrets";
import { startApiServer, type ApiServer } from "../support/apiServer";
import { someSettings } from "./recorder";

describe("The Secrets that doctor looks for", () => {
  let api: ApiServer;
  const kubeconfig = process.env["KUBECONFIG"];
  before(async () => {
    api = await startApiServer();
    process.env["KUBECONFIG"] = api.kubeconfig;
  });
  after(async () => {
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
    await api.close();
  });

  const missing = async (config: Record<string, string>) => {
    const settings = parseSettings("chatgpt-app", {
      ...someSettings,
      imagePullSecrets: '["registry"]',
      namespacePerColor: "true",
      traffic: '{"strategy":"weighted","router":"traefik"}',
      ...config,
    });
    const findings = await examineSecrets(connect(settings), settings);
    return findings
      .map(({ says }) => /Secret (\S+\/registry) is not there/.exec(says)?.[1])
      .filter((name) => name !== undefined);
  };
  const ofColors = ["chatgpt-production-blue/registry", "chatgpt-production-green/registry"];

  it("are, for the analysis controller's image, also in the app's namespace, where the analysis controller is", async () => {
    expect(
      await missing({ analysis: '{"controllerImage":"registry.example.com/analysis-controller:1"}' }),
    ).to.have.members([...ofColors, "chatgpt-production/registry"]);
  });

  it("are in the colors' namespaces alone where there is no analysis controller", async () => {
    expect(await missing({})).to.have.members(ofColors);
  });

  it("are one where all is in one namespace", async () => {
    expect(
      await missing({
        analysis: '{"controllerImage":"registry.example.com/analysis-controller:1"}',
        namespacePerColor: "false",
      }),
    ).to.deep.equal(["chatgpt-production/registry"]);
  });

  describe("that only the pod template names", () => {
    const template = (part: object) => ({
      podTemplate: JSON.stringify({ spec: { containers: [{ name: "mcp-server", ...part }] } }),
      imagePullSecrets: "[]",
      namespacePerColor: "false",
      traffic: "{}",
    });
    const findingsOf = async (config: Record<string, string>) => {
      const settings = parseSettings("chatgpt-app", {
        ...someSettings,
        envFromSecrets: "{}",
        database: '{"strategy":"none"}',
        ...config,
      });
      return (await examineSecrets(connect(settings), settings)).map(({ says }) => says);
    };
    const at = "chatgpt-production";

    it("are those of variables, whole objects, volumes and image pulls, ConfigMaps as well", async () => {
      const podTemplate = JSON.stringify({
        spec: {
          imagePullSecrets: [{ name: "pull" }],
          initContainers: [{ name: "wait", envFrom: [{ configMapRef: { name: "waiting" } }] }],
          containers: [
            {
              name: "mcp-server",
              env: [
                { name: "A", valueFrom: { secretKeyRef: { name: "a", key: "one" } } },
                { name: "B", valueFrom: { configMapKeyRef: { name: "b", key: "two" } } },
              ],
              envFrom: [{ secretRef: { name: "c" } }],
            },
          ],
          volumes: [
            { name: "d", secret: { secretName: "d" } },
            { name: "e", configMap: { name: "e", items: [{ key: "app.ini", path: "app.ini" }] } },
            { name: "f", projected: { sources: [{ secret: { name: "f" } }, { configMap: { name: "g" } }] } },
          ],
        },
      });
      const findings = await findingsOf({ ...template({}), podTemplate });
      expect(findings).to.have.members(
        [
          ...["a", "c", "d", "f", "pull"].map((name) => `Secret ${at}/${name}`),
          ...["waiting", "b", "e", "g"].map((name) => `ConfigMap ${at}/${name}`),
        ].map((object) => `${object} is not there`),
      );
    });

    it("are none that are optional, and by a key none that hold it, be it empty", async () => {
      const ref = (name: string, key: string, more: object = {}) => ({ name, key, ...more });
      api.objects.set("configmaps/there", { metadata: { name: "there" }, data: { empty: "" } });
      const findings = await findingsOf(
        template({
          env: [
            { name: "A", valueFrom: { secretKeyRef: ref("gone", "a", { optional: true }) } },
            { name: "B", valueFrom: { configMapKeyRef: ref("there", "empty") } },
            { name: "C", valueFrom: { configMapKeyRef: ref("there", "other") } },
          ],
        }),
      );
      expect(findings).to.deep.equal([`ConfigMap ${at}/there has no other`]);
    });
  });

  it("are those of Jobs that check a color", async () => {
    const job = { image: "grafana/k6:1", envFromSecrets: { TOKEN: "load/token" } };
    const settings = parseSettings("chatgpt-app", {
      ...someSettings,
      gates: JSON.stringify([{ name: "load", when: "beforeSwitch", job }]),
    });
    const findings = await examineSecrets(connect(settings), settings);
    expect(findings.map(({ says }) => says)).to.include("Secret chatgpt-production/load is not there");
  });

  it("are those of the program's arguments, where its preview tells them, and none that it makes", async () => {
    // Config names Secrets that code does not want, and code names one that config does not.
    const settings = parseSettings("chatgpt-app", { ...someSettings, imagePullSecrets: '["registry"]' });
    const at = { namespace: settings.namespace };
    const env = (name: string) => [{ name: "A", valueFrom: { secretKeyRef: { name, key: "one" } } }];
    const deployment = (namespace: string, name: string) => ({
      type: "kubernetes:apps/v1:Deployment",
      inputs: {
        metadata: { name, namespace },
        spec: { template: { spec: { containers: [{ name: "app", env: env(name) }] } } },
      },
    });
    const planned = plannedIn([
      deployment(at.namespace, "by-code"),
      deployment(at.namespace, "made"),
      deployment("elsewhere", "of-another-app"),
      { type: "kubernetes:core/v1:Secret", inputs: { metadata: { ...at, name: "made" } } },
      {
        type: "kubernetes:core/v1:ServiceAccount",
        inputs: { metadata: { ...at, name: "app" }, imagePullSecrets: [{ name: "pull" }] },
      },
    ]);
    const says = (await examineSecrets(connect(settings), settings, planned)).map((each) => each.says);
    expect(says).to.have.members(
      ["by-code", "pull"].map((name) => `Secret ${at.namespace}/${name} is not there`),
    );
    const separate = { strategy: "logicalReplication", databaseSecret: "db" };
    const steps = plannedIn([{ type: "pulumi-nodejs:dynamic/bluegreen:SchemaGate", inputs: separate }]);
    expect(
      (await examineSecrets(connect(settings), settings, steps)).map((each) => each.says),
    ).to.have.length(2);
  });
});
