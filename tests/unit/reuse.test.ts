import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { BlueGreenApp, configArgs, type BlueGreenAppArgs } from "../../components";
import { argsFile, argsText } from "../../docs/argsText";
import { projectFile, projectText } from "../../docs/projectText";
import { settingsFile, settingsText } from "../../docs/settingsText";
import { record } from "./recorder";

const shop: BlueGreenAppArgs = {
  activeColor: "blue",
  blueTag: "v1",
  imageRepository: "ghcr.io/you/shop",
  host: "shop.example.com",
  http: { port: 8080, livenessPath: "/healthz", readinessPath: "/readyz" },
  database: { strategy: "none" },
  envFromSecrets: { PAYMENT_KEY: "payments/key" },
};

interface Pod {
  containers: [
    {
      name: string;
      ports: { containerPort: number }[];
      env: { name: string; valueFrom?: unknown }[];
      livenessProbe: { httpGet: { path: string } };
      readinessProbe: { httpGet: { path: string } };
    },
  ];
}

describe("An app of another program", function () {
  after(() => {
    pulumi.runtime.setAllConfig({});
  });

  it("is one component, with everything of its release below it", async () => {
    const recorder = await record("shops", () => new BlueGreenApp("shop", shop));
    expect(recorder.one("bluegreen:index:AppInCluster", "shop").parent).to.match(
      /::bluegreen:index:BlueGreenApp::shop$/,
    );
    expect(
      recorder.recorded
        .filter(({ name, type }) => !name.startsWith("shop") && type !== "pulumi:pulumi:Stack")
        .map(({ name }) => name),
    ).to.deep.equal([]);
  });

  it("answers at its own port and paths, and takes its own Secrets", async () => {
    const recorder = await record("shops", () => new BlueGreenApp("shop", shop));
    const { spec } = recorder.one("kubernetes:apps/v1:Deployment", "shop-blue").inputs as {
      spec: { template: { spec: Pod } };
    };
    const [container] = spec.template.spec.containers;
    expect(container.ports.map(({ containerPort }) => containerPort)).to.deep.equal([8080]);
    expect([container.livenessProbe.httpGet.path, container.readinessProbe.httpGet.path]).to.deep.equal([
      "/healthz",
      "/readyz",
    ]);
    expect(container.env.filter(({ valueFrom }) => valueFrom !== undefined)).to.deep.equal([
      { name: "PAYMENT_KEY", valueFrom: { secretKeyRef: { name: "payments", key: "key" } } },
    ]);
    expect(
      JSON.stringify(
        recorder.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "shop-blue-network").inputs,
      ),
    ).to.contain('"port":8080');
  });

  it("names its container and its database's Secret after itself, and kubectl finds the container", async () => {
    const recorder = await record(
      "shops",
      () => new BlueGreenApp("shop", { ...shop, database: { strategy: "shared" } }),
    );
    const { spec, metadata } = recorder.one("kubernetes:apps/v1:Deployment", "shop-blue").inputs as {
      metadata: { namespace: string };
      spec: { template: { metadata: { annotations: Record<string, string> }; spec: Pod } };
    };
    const [container] = spec.template.spec.containers;
    expect(metadata.namespace).to.equal("shop");
    expect(container.name).to.equal("shop");
    expect(spec.template.metadata.annotations).to.include({
      "kubectl.kubernetes.io/default-container": "shop",
    });
    expect(container.env).to.deep.include({
      name: "DATABASE_URL",
      valueFrom: { secretKeyRef: { name: "shop-database", key: "url" } },
    });
  });

  it("finds no name of the reference app in the library", () => {
    for (const file of globSync(["components/**/*.ts", "release/src/**/*.ts"], { exclude: ["**/dist/**"] }))
      expect(readFileSync(file, "utf8"), file).not.to.match(/openai|mcp-server|chatgpt|db-credentials/i);
  });

  it("has no step that would ask a database, where it has none", async () => {
    const recorder = await record("shops", () => new BlueGreenApp("shop", shop));
    const steps = recorder.recorded.flatMap(({ type }) =>
      type.startsWith("pulumi-nodejs:") ? [type.split(":").at(-1)] : [],
    );
    expect(steps)
      .to.include.members(["LiveLock", "Rollout", "SmokeGate", "SwitchGate", "Analysis"])
      .and.not.to.include.members(["Migrations"]);
    expect(
      steps.filter((step) =>
        ["Migrations", "SchemaGate", "SwitchRecord", "Contract", "DatabaseAccount"].includes(step ?? ""),
      ),
    ).to.deep.equal([]);
  });

  it("is a function of its arguments: config that its program does not read changes nothing", async () => {
    pulumi.runtime.setAllConfig({ "shop:activeColor": "green", "shop:unknown": "x", "shops:greenTag": "v2" });
    const { recorded: withConfig } = await record("shops", () => new BlueGreenApp("shop", shop));
    pulumi.runtime.setAllConfig({});
    const { recorded } = await record("shops", () => new BlueGreenApp("shop", shop));
    expect(withConfig).to.deep.equal(recorded);
  });

  it("is released by config where its program reads that, and config counts more than code", async () => {
    pulumi.runtime.setAllConfig({
      "shop:activeColor": "green",
      "shop:greenTag": "v2",
      "shops:region": "not one of its settings",
    });
    const recorder = await record("shops", () => new BlueGreenApp("shop", configArgs("shop", shop)));
    const { spec } = recorder.one("kubernetes:core/v1:Service", "shop-service").inputs as {
      spec: { selector: unknown };
    };
    expect(spec.selector).to.include({ version: "green" });
  });

  it("is refused with everything that is wrong, before it registers anything", async () => {
    pulumi.runtime.setAllConfig({});
    let message = "";
    const recorder = await record("shops", () => {
      try {
        return new BlueGreenApp("shop", {
          ...shop,
          host: "Shop",
          connectionDrain: { port: 8080 },
          contractMigration: "0003",
        });
      } catch (error) {
        message = String(error);
        return undefined;
      }
    });
    expect(message)
      .to.contain("3 settings were refused")
      .and.contain("host")
      .and.match(/connectionDrain[^]*another port than http.port/)
      .and.match(/contractMigration[^]*only with a database/);
    expect(recorder.recorded.filter(({ type }) => type !== "pulumi:pulumi:Stack")).to.deep.equal([]);
  });

  it("is refused where its config encrypts what would end readable, and where Kubernetes would refuse its name", () => {
    const read = (name: string, encrypted: string[]) => {
      pulumi.runtime.setAllConfig({
        "shop:env": '{"API_TOKEN":"tok-hunter2"}',
        "club:host": "hunter2",
      });
      process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(encrypted);
      try {
        return configArgs(name, { ...shop, secretEnv: { TOKEN: "of code" } });
      } finally {
        delete process.env["PULUMI_CONFIG_SECRET_KEYS"];
        pulumi.runtime.setAllConfig({});
      }
    };
    // Another project's key, whose name is as long.
    expect(read("shop", ["club:host"]).env).to.deep.equal({ API_TOKEN: "tok-hunter2" });
    expect(() => read("shop", ["shop:env"])).to.throw(
      "env = [secret]\n    rule:    not encrypted: it ends readable, in a ConfigMap of each color; a secret goes to secretEnv",
    );
    for (const name of ["My_Shop", "1shop", "s".repeat(45)])
      expect(() => read(name, []), name).to.throw(`The app's name "${name}" was refused`);
  });

  it("has a page of its classes and arguments, each with a description", function () {
    const { status, stdout, stderr } = spawnSync(
      "npm",
      ["run", "--silent", "docs:api", "--", "--emit", "none"],
      { encoding: "utf8" },
    );
    expect(status, stdout + stderr).to.equal(0);
  });

  it("has arguments, a reference page and a Pulumi.yaml that say what its settings' one declaration says", () => {
    for (const [file, text] of [
      [argsFile, argsText()],
      [settingsFile, settingsText()],
      [projectFile, projectText()],
    ] as const)
      expect(readFileSync(file, "utf8"), "run: npm run docs").to.equal(text);
  });
});
