import { expect } from "chai";
import { appsOf, type StackResource } from "../../policy/apps";
import { parseImage } from "../../policy/image";
import { bothColors } from "../../policy/rules/bothColors";
import { imageDigest } from "../../policy/rules/imageDigest";
import { imageTag } from "../../policy/rules/imageTag";
import { liveColor } from "../../policy/rules/liveColor";
import { podSecurity } from "../../policy/rules/podSecurity";
import { probes } from "../../policy/rules/probes";
import { resources } from "../../policy/rules/resources";
import { workloadOf, type Container, type PodSpec } from "../../policy/workload";

const digest = `sha256:${"0".repeat(64)}`;

/** Nobody can ask it whether it is ready. */
const deaf: Container = {
  name: "web",
  image: `registry:5000/shop/web:v1.3.0@${digest}`,
  resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } },
  livenessProbe: {},
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
};
/** Nothing is wrong with it. */
const good: Container = { ...deaf, readinessProbe: {} };
const securityContext = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };

const rules = { imageTag, imageDigest, resources, probes, podSecurity };

const metadata = { name: "web", namespace: "shop" };

/** What each rule says of a Deployment, by the names of those that say anything. */
function checked(container: Partial<Container>, pod: PodSpec = {}) {
  return checkedAs("kubernetes:apps/v1:Deployment", {
    metadata,
    spec: { template: { spec: { securityContext, containers: [{ ...good, ...container }], ...pod } } },
  });
}

function checkedAs(type: string, props: object) {
  const workload = workloadOf(type, props);
  if (workload === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(rules).flatMap(([name, rule]) => {
      const findings = rule(workload);
      return findings.length === 0 ? [] : [[name, findings.map(({ what }) => what)]];
    }),
  );
}

describe("Policies of pods", () => {
  it("find nothing in a pod as it should be", () => {
    expect(checked({})).to.deep.equal({});
  });

  it("tell the tag of an image from the port of its registry, and from a digest", () => {
    expect(parseImage(`registry:5000/shop/web:v1@${digest}`)).to.deep.equal({
      repository: "registry:5000/shop/web",
      tag: "v1",
      digest,
    });
    expect(parseImage("registry:5000/shop/web")).to.deep.equal({
      repository: "registry:5000/shop/web",
      tag: undefined,
      digest: undefined,
    });
  });

  for (const [image, found] of [
    ["shop/web:latest", ["imageTag", "imageDigest"]],
    ["registry:5000/shop/web", ["imageTag", "imageDigest"]],
    ["", ["imageTag", "imageDigest"]],
    ["shop/web:v1", ["imageDigest"]],
    [`shop/web:latest@${digest}`, []],
    [`shop/web@${digest}`, []],
  ] as const) {
    it(`say of image ${JSON.stringify(image)} ${found.length === 0 ? "nothing" : found.join(" and ")}`, () => {
      expect(Object.keys(checked({ image }) ?? {})).to.deep.equal(found);
    });
  }

  it("want requests and limits of every container, those at the beginning included", () => {
    expect(checked({ resources: {} })).to.deep.equal({
      resources: [
        "Container web of Deployment shop/web has no requests.cpu, no limits.cpu, no requests.memory, no limits.memory",
      ],
    });
    expect(checked({ resources: { limits: { cpu: "1" }, requests: { memory: "1Gi" } } })).to.deep.equal({
      resources: ["Container web of Deployment shop/web has no limits.memory"],
    });
    expect(checked({}, { initContainers: [{ ...good, name: "init", resources: {} }] })).to.have.all.keys(
      "resources",
    );
  });

  it("want probes of what serves, and of nothing that ends by itself", () => {
    const spec = { template: { spec: { securityContext, containers: [deaf] } } };
    expect(checkedAs("kubernetes:apps/v1:StatefulSet", { metadata: { name: "web" }, spec })).to.deep.equal({
      probes: ["Container web of StatefulSet default/web has no readinessProbe"],
    });
    expect(checkedAs("kubernetes:batch/v1:Job", { spec })).to.deep.equal({});
    const ofRelease = { ...metadata, labels: { "bluegreen.dev/worker": "mailer" } };
    expect(checkedAs("kubernetes:apps/v1:Deployment", { metadata: ofRelease, spec })).to.deep.equal({});
    expect(
      checkedAs("kubernetes:batch/v1:CronJob", {
        spec: { jobTemplate: { spec: { template: { spec: { containers: [{ ...deaf, image: "x" }] } } } } },
      }),
    ).to.have.all.keys("imageTag", "imageDigest", "podSecurity");
    expect(checkedAs("kubernetes:core/v1:Service", { spec: { selector: {} } })).to.equal(undefined);
  });

  for (const type of [
    "apps/v1:Deployment",
    "apps/v1beta2:Deployment",
    "extensions/v1beta1:DaemonSet",
    "apps/v1:StatefulSet",
    "apps/v1:ReplicaSet",
    "core/v1:ReplicationController",
    "argoproj.io/v1alpha1:Rollout",
  ]) {
    it(`know the pods of ${type}, which serve`, () => {
      const [kind] = type.split(":").slice(-1);
      const template = {
        spec: { securityContext, hostNetwork: true, containers: [{ ...deaf, image: "shop/web" }] },
      };
      expect(checkedAs(`kubernetes:${type}`, { metadata, spec: { template } }))
        .to.deep.include({
          probes: [`Container web of ${kind ?? ""} shop/web has no readinessProbe`],
          podSecurity: [`${kind ?? ""} shop/web has hostNetwork: true`],
        })
        .and.include.keys("imageTag");
    });
  }

  it("know the pods of a PodTemplate, and of a CronJob before batch/v1", () => {
    const pod = { spec: { securityContext, containers: [{ ...deaf, image: "shop/web" }] } };
    expect(checkedAs("kubernetes:core/v1:PodTemplate", { metadata, template: pod })).to.have.all.keys(
      "imageTag",
      "imageDigest",
    );
    expect(
      checkedAs("kubernetes:batch/v1beta1:CronJob", {
        metadata,
        spec: { jobTemplate: { spec: { template: pod } } },
      }),
    ).to.have.all.keys("imageTag", "imageDigest");
  });

  it("take no other template for one of pods", () => {
    expect(
      checkedAs("kubernetes:cluster.x-k8s.io/v1beta1:MachineDeployment", {
        metadata,
        spec: { template: { spec: { clusterName: "a", volumes: [{ name: "root", disk: {} }] } } },
      }),
    ).to.equal(undefined);
    expect(
      checkedAs("kubernetes:monitoring.coreos.com/v1:Prometheus", {
        metadata,
        spec: { containers: [{ name: "prometheus" }] },
      }),
    ).to.equal(undefined);
    expect(
      checkedAs("aws:ecs/taskDefinition:TaskDefinition", {
        spec: { template: { spec: { containers: [{ name: "web" }] } } },
      }),
    ).to.equal(undefined);
  });

  it("ask a patch for nothing that it leaves as it is", () => {
    const patch = (pod: PodSpec) =>
      checkedAs("kubernetes:apps/v1:DeploymentPatch", { metadata, spec: { template: { spec: pod } } });
    expect(checkedAs("kubernetes:apps/v1:DeploymentPatch", { metadata, spec: { replicas: 3 } })).to.equal(
      undefined,
    );
    expect(patch({ containers: [{ name: "web", image: `shop/web:v1@${digest}` }] })).to.deep.equal({});
    expect(patch({ containers: [{ name: "web", securityContext: { runAsNonRoot: true } }] })).to.deep.equal(
      {},
    );
    expect(patch({ containers: [{ name: "web", image: "shop/web:latest" }] })).to.have.all.keys(
      "imageTag",
      "imageDigest",
    );
    expect(patch({ hostPID: true })).to.deep.equal({
      podSecurity: ["DeploymentPatch shop/web has hostPID: true"],
    });
    expect(
      patch({
        containers: [
          {
            name: "web",
            securityContext: {
              privileged: true,
              runAsNonRoot: false,
              allowPrivilegeEscalation: true,
              seccompProfile: { type: "Unconfined" },
              capabilities: { drop: ["CHOWN"] },
            },
          },
        ],
      })?.["podSecurity"],
    ).to.have.length(5);
    expect(
      checkedAs("kubernetes:core/v1:PodTemplatePatch", { metadata, template: { spec: { hostIPC: true } } }),
    ).to.have.all.keys("podSecurity");
  });

  it("know containers that are added to a pod that runs: they have images and rights, and neither requests nor probes", () => {
    const found = checkedAs("kubernetes:core/v1:PodPatch", {
      metadata,
      spec: {
        ephemeralContainers: [{ name: "debug", image: "busybox", securityContext: { privileged: true } }],
      },
    });
    expect(found).to.have.all.keys("imageTag", "imageDigest", "podSecurity");
    expect(checked({}, { ephemeralContainers: [{ ...deaf, name: "debug", resources: {} }] })).to.deep.equal(
      {},
    );
  });

  const own = good.securityContext;
  for (const [name, container, pod, has] of [
    [
      "a pod that may be root",
      {},
      { securityContext: { seccompProfile: { type: "Localhost" } } },
      "has runAsNonRoot: undefined",
    ],
    [
      "a container that may be root in a pod that may not",
      { securityContext: { ...own, runAsNonRoot: false } },
      {},
      "has runAsNonRoot: false",
    ],
    ["root by number", { securityContext: { ...own, runAsUser: 0 } }, {}, "has runAsUser: 0"],
    ["a privileged container", { securityContext: { ...own, privileged: true } }, {}, "has privileged: true"],
    [
      "more rights on the way",
      { securityContext: { capabilities: { drop: ["ALL"] } } },
      {},
      "has allowPrivilegeEscalation: undefined",
    ],
    [
      "no filter of system calls",
      { securityContext: { ...own, seccompProfile: { type: "Unconfined" } } },
      {},
      "has seccompProfile: Unconfined",
    ],
    [
      "capabilities that are kept",
      { securityContext: { allowPrivilegeEscalation: false } },
      {},
      "drops no capabilities",
    ],
    [
      "capabilities that are added",
      {
        securityContext: { ...own, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE", "SYS_ADMIN"] } },
      },
      {},
      "adds the capabilities SYS_ADMIN",
    ],
    ["the network of the node", {}, { hostNetwork: true }, "has hostNetwork: true"],
    [
      "files of the node",
      {},
      { volumes: [{ name: "node", hostPath: {} }] },
      "has volume node with a hostPath",
    ],
    [
      "a volume that the cluster does not know",
      {},
      {
        volumes: [
          { name: "data", emptyDir: {} },
          { name: "share", nfs: {} },
        ],
      },
      "has volume share with a nfs",
    ],
    [
      "a port of the node",
      { ports: [{ hostPort: 0 }, { hostPort: 8080 }] },
      {},
      "takes hostPort 8080 of its node",
    ],
    [
      "a port of the node for an init container",
      {},
      { initContainers: [{ ...good, name: "init", ports: [{ hostPort: 53 }] }] },
      "takes hostPort 53 of its node",
    ],
    [
      "/proc as the node has it",
      { securityContext: { ...own, procMount: "Unmasked" } },
      {},
      "has procMount: Unmasked",
    ],
    [
      "what the kernel has once for all",
      {},
      {
        securityContext: {
          ...securityContext,
          sysctls: [{ name: "net.ipv4.tcp_syncookies" }, { name: "kernel.msgmax" }],
        },
      },
      "sets the sysctls kernel.msgmax",
    ],
    [
      "no AppArmor, for a container",
      { securityContext: { ...own, appArmorProfile: { type: "Unconfined" } } },
      {},
      "has appArmorProfile: Unconfined",
    ],
    [
      "no AppArmor, for the pod",
      {},
      { securityContext: { ...securityContext, appArmorProfile: { type: "Unconfined" } } },
      "has appArmorProfile: Unconfined",
    ],
    [
      "a type of SELinux that may more",
      { securityContext: { ...own, seLinuxOptions: { type: "spc_t" } } },
      {},
      "has seLinuxOptions: spc_t",
    ],
    [
      "a user of SELinux",
      {},
      { securityContext: { ...securityContext, seLinuxOptions: { user: "system_u" } } },
      "has seLinuxOptions: system_u",
    ],
    [
      "a process of a Windows node",
      {},
      { securityContext: { ...securityContext, windowsOptions: { hostProcess: true } } },
      "has windowsOptions.hostProcess: true",
    ],
    [
      "a probe that asks somebody else",
      { readinessProbe: { httpGet: { host: "169.254.169.254" } } },
      {},
      "lets the kubelet ask 169.254.169.254",
    ],
    [
      "a hook that asks somebody else",
      { lifecycle: { preStop: { tcpSocket: { host: "db" } } } },
      {},
      "lets the kubelet ask db",
    ],
    [
      "rights that a debug container has",
      {},
      { ephemeralContainers: [{ ...good, name: "debug", securityContext: { ...own, privileged: true } }] },
      "has privileged: true",
    ],
  ] as const satisfies [string, Partial<Container>, PodSpec, string][]) {
    it(`refuse ${name}`, () => {
      const found = checked(container, pod);
      expect(found).to.have.all.keys("podSecurity");
      expect(found?.["podSecurity"]).to.have.length(1);
      expect(found?.["podSecurity"]?.[0])
        .to.match(/^(Container (web|init|debug) of )?Deployment shop\/web /)
        .and.contain(has);
    });
  }
});

const cluster = { urn: "urn:one" };

function deployment(
  color: string,
  {
    replicas = 2,
    app = "shop",
    namespace = "shop",
    provider = cluster,
  }: { replicas?: number; app?: string; namespace?: string; provider?: { urn: string } } = {},
): StackResource {
  const labels = { app, version: color };
  return {
    type: "kubernetes:apps/v1:Deployment",
    urn: `urn:${color}`,
    provider,
    props: {
      metadata: { name: `${app}-${color}`, namespace, labels },
      spec: { replicas, template: { metadata: { labels } } },
    },
  };
}

function service(
  selector: Record<string, string> | undefined,
  { type = "ClusterIP", provider = cluster }: { type?: string; provider?: { urn: string } } = {},
): StackResource {
  return {
    type: "kubernetes:core/v1:Service",
    urn: "urn:active",
    provider,
    props: {
      metadata: {
        name: "shop-service",
        namespace: "shop",
        labels: { app: "shop" },
        annotations: { "bluegreen.dev/switch-id": "1" },
      },
      spec: { selector, type },
    },
  };
}

const both = [deployment("blue"), deployment("green", { replicas: 0 })];
const toBlue = service({ app: "shop", version: "blue" });

describe("Policies of an app in two colors", () => {
  const said = (stack: StackResource[]) =>
    appsOf(stack)
      .flatMap((app) => [...bothColors(app), ...liveColor(app)])
      .map(({ what, rule }) => `${what}: ${rule}`);

  it("find nothing in an app as it should be, and in what is none", () => {
    const others = [
      deployment("v1", { app: "istio" }),
      { ...toBlue, props: { metadata: { labels: { app: "redis" } }, spec: { selector: {} } } },
      { type: "pulumi:pulumi:Stack", urn: "urn:stack", props: {} },
    ];
    expect(said([...both, toBlue, ...others])).to.deep.equal([]);
    expect(appsOf(others)).to.deep.equal([]);
  });

  it("miss a color, and the Deployment that traffic goes to", () => {
    expect(said([deployment("green"), toBlue])).to.deep.equal([
      "App shop has no Deployment of blue: both colors are there, labelled app: shop and version: blue or green; the idle one may have no replicas",
      "Service shop/shop-service selects app=shop,version=blue: no Deployment of the stack has such pods; its colors are Deployment shop/shop-green",
    ]);
    expect(said([toBlue])[1]).to.contain("its colors are none");
  });

  it("take a worker of a color for no color", () => {
    const labels = { app: "shop", version: "blue", "bluegreen.dev/worker": "mailer" };
    const worker = { ...deployment("blue"), props: { metadata: { name: "shop-blue-mailer", labels } } };
    expect(said([...both, toBlue, worker])).to.deep.equal([]);
    expect(said([worker, deployment("green"), toBlue])[0]).to.contain("no Deployment of blue");
  });

  for (const [name, active, found] of [
    ["an empty selector", service({}), "has an empty selector"],
    ["no selector", service(undefined), "has an empty selector"],
    [
      "both colors",
      service({ app: "shop" }),
      "these are pods of Deployment shop/shop-blue and of Deployment shop/shop-green",
    ],
    ["a color without pods", service({ app: "shop", version: "green" }), "it has replicas: 0"],
    [
      "a color that is none",
      service({ app: "shop", version: "red" }),
      "no Deployment of the stack has such pods",
    ],
    ["another app", service({ app: "other", version: "blue" }), "no Deployment of the stack has such pods"],
  ] as const) {
    it(`refuse a Service that points to ${name}`, () => {
      const findings = said([...both, active]);
      expect(findings).to.have.length(1);
      expect(findings[0]).to.contain("Service shop/shop-service").and.contain(found);
    });
  }

  it("follow a Service into the namespace of a color by its name in DNS alone", () => {
    const apart = [
      deployment("blue", { namespace: "shop-blue" }),
      deployment("green", { namespace: "shop-green" }),
    ];
    expect(said([...apart, toBlue])).to.have.length(1);
    expect(
      said([...apart, service({ app: "shop", version: "blue" }, { type: "ExternalName" })]),
    ).to.deep.equal([]);
  });

  it("check what patches of the same stack make of it", () => {
    const patch = (
      type: string,
      spec: object,
      { name = "shop-service", provider = cluster } = {},
    ): StackResource => ({
      type: `kubernetes:${type}Patch`,
      urn: "urn:patch",
      provider,
      props: { metadata: { name, namespace: "shop" }, spec },
    });
    expect(said([...both, toBlue, patch("core/v1:Service", { selector: { version: "red" } })])[0]).to.contain(
      "selects app=shop,version=red: no Deployment",
    );
    expect(
      said([...both, toBlue, patch("core/v1:Service", { selector: { version: "green" } })])[0],
    ).to.contain("it has replicas: 0");
    expect(
      said([...both, toBlue, patch("apps/v1:Deployment", { replicas: 0 }, { name: "shop-blue" })])[0],
    ).to.contain("it has replicas: 0");
    expect(
      said([
        ...both,
        toBlue,
        patch("apps/v1:Deployment", { replicas: 2 }, { name: "shop-green" }),
        patch("core/v1:Service", { selector: { version: "green" } }),
      ]),
    ).to.deep.equal([]);
    expect(
      said([
        ...both,
        toBlue,
        patch(
          "apps/v1:Deployment",
          { template: { metadata: { labels: { version: "red" } } } },
          { name: "shop-blue" },
        ),
      ])[0],
    ).to.contain("no Deployment of the stack has such pods");
    const elsewhere = [
      patch("core/v1:Service", { selector: { version: "red" } }, { name: "other" }),
      patch("core/v1:Service", { selector: { version: "red" } }, { provider: { urn: "urn:two" } }),
    ];
    expect(said([...both, toBlue, ...elsewhere])).to.deep.equal([]);
  });

  it("check each cluster by itself", () => {
    const provider = { urn: "urn:two" };
    const second = [
      deployment("blue", { provider }),
      deployment("green", { provider }),
      service({ app: "shop", version: "green" }, { provider }),
    ];
    expect(said([...both, toBlue, ...second])).to.deep.equal([]);
    expect(said([...both, toBlue, ...second.slice(1)])).to.have.length(1);
  });
});
