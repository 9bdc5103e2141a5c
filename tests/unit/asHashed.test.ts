import { expect } from "chai";
import { refuseChanged } from "@bluegreen/components/asHashed";
import { errorCodeOf } from "@bluegreen/release/util/userError";
import type * as pulumi from "@pulumi/pulumi";
import { BlueGreenApp, type BlueGreenAppArgs } from "../../components";
import { record, recordApp, someSettings } from "./recorder";

const shop: BlueGreenAppArgs = {
  activeColor: "blue",
  blueTag: "v1",
  imageRepository: "ghcr.io/you/shop",
  host: "shop.example.com",
  database: { strategy: "none" },
};

const container = {
  name: "shop",
  image: "ghcr.io/you/shop:v1",
  env: [{ name: "EMPTY", value: "" }],
  envFrom: [],
  resources: { requests: { cpu: "0.5", memory: "1.5Gi" } },
  readinessProbe: { initialDelaySeconds: 0, periodSeconds: 5 },
  securityContext: { allowPrivilegeEscalation: false },
};
const metadata = { name: "shop-blue", namespace: "shop", labels: { app: "shop" } };

function deployment(part: object = {}, own: object = metadata) {
  return {
    metadata: own,
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "shop" } },
      template: { spec: { containers: [{ ...container, ...part }] } },
    },
  };
}

const refuse = (given: object) => {
  refuseChanged({ kind: "Deployment", name: "shop-blue", wanted: deployment(), given });
};

describe("Pods behind the lock", () => {
  it("are refused when they are not what the program has hashed, by whatever changes them", () => {
    for (const part of [
      { image: "ghcr.io/you/shop:v2" },
      { env: [] },
      { env: [...container.env, { name: "PROXY", value: "http://proxy" }] },
      { resources: { requests: { cpu: "1", memory: "1.5Gi" } } },
      { securityContext: {} },
      { securityContext: { allowPrivilegeEscalation: true } },
      { readinessProbe: { initialDelaySeconds: 1, periodSeconds: 5 } },
    ])
      expect(() => {
        refuse(deployment(part));
      }, JSON.stringify(part)).to.throw("Deployment shop-blue was refused: spec.template is not what");
    expect(() => {
      refuse(deployment({}, { ...metadata, name: "other", namespace: "other" }));
    }).to.throw("metadata.name and metadata.namespace are not what");
    try {
      refuse(deployment({ image: "other" }));
    } catch (error) {
      expect(errorCodeOf(error)).to.equal("BG-PODS-TRANSFORMED");
    }
  });

  it("may be written as the provider writes them, and their objects may have more labels and other sizes", () => {
    refuse({
      ...deployment(),
      metadata: { ...metadata, labels: { app: "shop", team: "a" }, annotations: { cost: "1" } },
    });
    refuse({ ...deployment(), spec: { ...deployment().spec, replicas: 5 } });
    const written = {
      name: container.name,
      image: container.image,
      securityContext: container.securityContext,
      env: [{ name: "EMPTY" }],
      resources: { requests: { cpu: "500m", memory: "1536Mi" } },
      readinessProbe: { periodSeconds: 5 },
    };
    const { spec } = deployment();
    refuse({ metadata, spec: { ...spec, template: { spec: { containers: [written] } } } });
    const wanted = {
      hostNetwork: false,
      overhead: { cpu: "1000m" },
      volumes: [{ name: "tmp", emptyDir: { sizeLimit: "1024Mi" } }],
      containers: [
        { volumeMounts: [{ name: "tmp", readOnly: false }], resources: { limits: { "a.b/gpu": 1 } } },
      ],
    };
    const given = {
      overhead: { cpu: "1" },
      volumes: [{ name: "tmp", emptyDir: { sizeLimit: "1Gi" } }],
      containers: [{ volumeMounts: [{ name: "tmp" }], resources: { limits: { "a.b/gpu": "1" } } }],
    };
    const asPods = (pods: object) => ({ metadata, spec: { template: { spec: pods } } });
    refuseChanged({ kind: "Deployment", name: "shop-blue", wanted: asPods(wanted), given: asPods(given) });
    expect(() => {
      refuseChanged({
        kind: "Deployment",
        name: "shop-blue",
        wanted: asPods({ ...wanted, hostNetwork: true }),
        given: asPods(given),
      });
    }).to.throw("spec.template is not what");
  });

  it("take a Secret's texts in either form, and no others", () => {
    const own = { name: "shop-blue-abc", namespace: "shop" };
    const wanted = { metadata: own, immutable: true, stringData: { TOKEN: "hunter2" } };
    const refuseSecret = (data: object) => {
      refuseChanged({
        kind: "Secret",
        name: own.name,
        wanted,
        given: { metadata: own, immutable: true, data },
      });
    };
    refuseSecret({ TOKEN: Buffer.from("hunter2").toString("base64") });
    expect(() => {
      refuseSecret({ TOKEN: Buffer.from("hunter3").toString("base64") });
    })
      .to.throw("Secret shop-blue-abc was refused: data is not what")
      .with.property("message")
      .that.does.not.contain("hunter");
  });

  it("are refused after a transformation of the app's component", async () => {
    const deploymentOf = async (options: pulumi.ComponentResourceOptions = {}) => {
      const recorder = await record("shops", () => new BlueGreenApp("shop", shop, options));
      return recorder.one("kubernetes:apps/v1:Deployment", "shop-blue").inputs;
    };
    const wanted = await deploymentOf();
    const added: pulumi.ResourceTransformation = ({ type, props, opts }) => {
      if (type !== "kubernetes:apps/v1:Deployment") return undefined;
      const { spec } = props as { spec: { template: { spec: object } } };
      const template = { ...spec.template, spec: { ...spec.template.spec, hostNetwork: true } };
      return { props: { ...props, spec: { ...spec, template } }, opts };
    };
    const given = await deploymentOf({ transformations: [added] });
    const compared = { kind: "Deployment", name: "shop-blue", wanted } as const;
    expect(() => {
      refuseChanged({ ...compared, given });
    }).to.throw("spec.template is not what");
    refuseChanged({ ...compared, given: await deploymentOf() });
  });

  it("ask that of every change, in preview as well, like the objects that hold their variables", async () => {
    const recorder = await recordApp({ ...someSettings, env: '{"A":"1"}', secretEnv: '{"B":"2"}' });
    const guarded = recorder.recorded.filter(({ name, hooks }) =>
      hooks.some((hook) => hook.startsWith(name) && hook.endsWith("-as-hashed")),
    );
    expect(guarded.map(({ type }) => type.split(":").at(-1)).sort()).to.deep.equal([
      "ConfigMap",
      "ConfigMap",
      "Deployment",
      "Deployment",
      "Secret",
      "Secret",
    ]);
    for (const { hooks } of guarded)
      expect(
        hooks.filter((hook) => hook.endsWith("-as-hashed")),
        "create and update",
      ).to.have.length(2);
  });
});
