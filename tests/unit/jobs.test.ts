import { expect } from "chai";
import { names } from "@bluegreen/release";
import { appPod, programPod } from "@bluegreen/release/jobs/podSpec";

describe("The pod of a Job", () => {
  it("of the app's image has all that the app's pods have, and nothing that waits for requests", () => {
    const container = {
      name: "app",
      image: "shop:v2",
      args: ["serve"],
      env: [{ name: "A", value: "b" }],
      envFrom: [{ secretRef: { name: "s" } }],
      volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
      securityContext: { readOnlyRootFilesystem: true },
      resources: { limits: { memory: "1Gi" } },
      ports: [{ name: "http", containerPort: 8080 }],
      livenessProbe: { httpGet: { path: "/", port: "http" } },
      readinessProbe: { httpGet: { path: "/", port: "http" } },
      startupProbe: { httpGet: { path: "/", port: "http" } },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
    };
    const proxy = { name: "proxy", image: "proxy:1", restartPolicy: "Always" };
    const template = {
      serviceAccountName: "shop-green",
      initContainers: [proxy],
      volumes: [{ name: "tmp", emptyDir: {} }],
      nodeSelector: { arch: "arm64" },
      topologySpreadConstraints: [{ maxSkew: 1 }],
      containers: [{ name: "logs", image: "logs:1" }, container],
    };
    expect(appPod(template, "app", ["/app/migrate"])).to.deep.equal({
      serviceAccountName: "shop-green",
      initContainers: [proxy],
      volumes: template.volumes,
      nodeSelector: template.nodeSelector,
      containers: [
        {
          name: "app",
          image: "shop:v2",
          env: container.env,
          envFrom: container.envFrom,
          volumeMounts: container.volumeMounts,
          securityContext: container.securityContext,
          resources: container.resources,
          command: ["/app/migrate"],
        },
      ],
    });
    expect(() => appPod(template, "web", ["x"])).to.throw("no container web");
  });

  it("of any other image keeps the restricted standard, without a token, and can write to /tmp", () => {
    const pod = programPod(
      { account: "shop-green", imagePullSecrets: ["registry"] },
      {
        name: "load",
        image: "k6:1",
        env: [{ name: "A", value: "b" }],
      },
    );
    expect(pod).to.deep.include({
      serviceAccountName: "shop-green",
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: "registry" }],
    });
    expect(pod.securityContext).to.deep.include({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(pod.containers[0]).to.deep.include({
      env: [
        { name: "HOME", value: "/tmp" },
        { name: "A", value: "b" },
      ],
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
    });
  });

  it("has a name that a label can hold, and another one for each content", () => {
    const name = names.job("a".repeat(44), "b".repeat(30), "0123456789");
    expect(name).to.have.length(63);
    expect(names.job("shop", "load", "0123456789")).to.equal("shop-load-0123456789");
  });
});
