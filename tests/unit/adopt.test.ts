import { expect } from "chai";
import { parseAllDocuments } from "yaml";
import { adopt, type Adoption } from "../../cli/adopt/adopt";
import type { Manifest } from "../../cli/adopt/manifests";
import { failsWith } from "../support/failsWith";

const manifests = (text: string): Manifest[] =>
  parseAllDocuments(text).map((each) => each.toJS() as Manifest);

const plain = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop, namespace: shops }
spec:
  replicas: 2
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop, team: checkout } }
    spec:
      containers:
        - name: web
          image: ghcr.io/you/shop:v1.4.0
          ports: [{ name: web, containerPort: 8080 }, { containerPort: 9090 }]
          env: [{ name: DATABASE_URL, valueFrom: { secretKeyRef: { name: db, key: url } } }]
          readinessProbe: { httpGet: { path: /ready, port: web } }
---
apiVersion: v1
kind: Service
metadata: { name: shop }
spec:
  selector: { app: shop }
  ports: [{ port: 8000, targetPort: web }]
`;

const fieldsOf = (notes: Adoption["left"]) => notes.map(({ object, field }) => `${object}: ${field}`);
/** A part of the app's container, wherever it is. */
const own = ({ config, podTemplate }: Adoption) => {
  const { containers } = podTemplate["spec"] as { containers: Record<string, unknown>[] };
  return containers.find(({ name }) => name === config["container"]) ?? {};
};

describe("What init takes over of a Deployment", () => {
  it("is its image, its size, its port, and its pods as they run", () => {
    const adopted = adopt(manifests(plain));
    expect(adopted.config).to.deep.include({
      activeColor: "blue",
      imageRepository: "ghcr.io/you/shop",
      blueTag: "v1.4.0",
      namespace: "shops",
      createNamespaces: false,
      container: "web",
      http: { port: 8080 },
      replicas: 2,
      networkPolicy: { extraPorts: [9090] },
      service: { port: 8000 },
      traffic: { router: "none" },
    });
    expect(own(adopted)).to.deep.include({
      name: "web",
      env: [{ name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "db", key: "url" } } }],
      readinessProbe: { httpGet: { path: "/ready", port: "web" } },
      // No probe, no limit and no stricter user than it has today.
      livenessProbe: null,
      resources: {},
    });
    expect(own(adopted)).not.to.have.property("image");
    expect(adopted.podTemplate).to.have.nested.property("spec.securityContext.runAsUser", null);
    expect([adopted.changed, adopted.refused]).to.deep.equal([[], []]);
  });

  it("gets a name by which neither the old Service nor the old Deployment chooses the new pods", () => {
    const adopted = adopt(manifests(plain));
    expect(adopted.app).to.equal("shop-app");
    expect(adopted.podTemplate).to.have.deep.nested.property("metadata.labels", { team: "checkout" });
    const other = plain.replaceAll("{ app: shop }", "{ team: checkout }");
    const byTeam = adopt(manifests(other));
    expect(byTeam.app).to.equal("shop");
    expect(byTeam.podTemplate).to.have.deep.nested.property("metadata.labels", {});
    expect(fieldsOf(byTeam.left)).to.include("Deployment shop: labels.team checkout");
  });

  it("finds the app among several containers by its Service, and keeps the others", () => {
    const beside = plain.replace(
      "      containers:\n",
      "      containers:\n        - { name: proxy, image: 'proxy:1', ports: [{ containerPort: 5432 }] }\n",
    );
    const adopted = adopt(manifests(beside));
    expect(adopted.config["container"]).to.equal("web");
    expect(adopted.podTemplate).to.have.nested.property("spec.containers[0].image", "proxy:1");
  });

  it("makes a readiness check where there is none, and leaves a short grace period its time", () => {
    const bare = plain
      .replace(/ *readinessProbe.*\n/, "")
      .replace("    spec:\n", "    spec:\n      terminationGracePeriodSeconds: 3\n");
    const adopted = adopt(manifests(bare));
    expect(own(adopted)["readinessProbe"]).to.deep.equal({ tcpSocket: { port: 8080 } });
    expect(adopted.config["preStopDelaySeconds"]).to.equal(2);
    expect(fieldsOf(adopted.made)).to.deep.equal([
      "Deployment shop: metadata.name",
      "Deployment shop: containers.web.readinessProbe",
      "Deployment shop: terminationGracePeriodSeconds 3",
    ]);
  });

  it("is the ingress as well: hosts, TLS, annotations, and other backends of the host", () => {
    const ingress = `
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: 20m
    cert-manager.io/cluster-issuer: letsencrypt
    kubectl.kubernetes.io/last-applied-configuration: "{}"
spec:
  ingressClassName: nginx
  tls: [{ hosts: [shop.example.com], secretName: shop-cert }]
  rules:
    - host: shop.example.com
      http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: shop, port: { number: 8000 } } } }
          - { path: /api, pathType: Prefix, backend: { service: { name: api, port: { number: 80 } } } }
    - host: www.shop.example.com
      http:
        paths: [{ path: /, pathType: Prefix, backend: { service: { name: shop, port: { number: 8000 } } } }]
`;
    const { config, changed } = adopt(manifests(plain + ingress));
    expect(config).to.deep.include({
      host: "shop.example.com",
      ingressClass: "nginx",
      traffic: { router: "nginx" },
      clusterIssuer: "letsencrypt",
      ingress: {
        annotations: { "nginx.ingress.kubernetes.io/proxy-body-size": "20m" },
        hosts: ["www.shop.example.com"],
        tlsSecret: "shop-cert",
        paths: [{ path: "/api", pathType: "Prefix", service: "api", port: 80 }],
      },
    });
    expect(changed).to.deep.equal([]);
  });

  it("takes an autoscaler by CPU, and leaves any other", () => {
    const hpa = (metrics: string) => `
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: shop }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: shop }
  minReplicas: 2
  maxReplicas: 9
  metrics: ${metrics}
`;
    const byCpu = adopt(
      manifests(
        plain +
          hpa(
            "[{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } } }]",
          ),
      ),
    );
    expect(byCpu.config["autoscaling"]).to.deep.equal({ minReplicas: 2, maxReplicas: 9, cpuPercent: 60 });
    const byQueue = adopt(
      manifests(plain + hpa("[{ type: External, external: { metric: { name: jobs } } }]")),
    );
    expect(byQueue.config).not.to.have.property("autoscaling");
    expect(fieldsOf(byQueue.left)).to.include("HorizontalPodAutoscaler shop: spec.metrics");
  });

  it("asks for a tag that stays, and takes a digest for one", () => {
    const at = (image: string, tag?: string) =>
      adopt(manifests(plain.replace("ghcr.io/you/shop:v1.4.0", image)), tag === undefined ? {} : { tag });
    for (const image of ["ghcr.io/you/shop", "ghcr.io/you/shop:latest"]) {
      expect(fieldsOf(at(image).changed)).to.deep.equal(["Deployment shop: image"]);
      expect(at(image, "v2").changed).to.deep.equal([]);
    }
    const digest = `sha256:${"a".repeat(64)}`;
    expect(at(`localhost:5000/shop@${digest}`).config).to.include({
      imageRepository: "localhost:5000/shop",
      blueTag: `adopted@${digest}`,
    });
  });

  it("is refused where two colors cannot run, and where there is not one Deployment", async () => {
    const alone = plain
      .replace("  replicas: 2\n", "  strategy: { type: Recreate }\n")
      .replace(
        "    spec:\n",
        "    spec:\n      volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]\n",
      );
    expect(fieldsOf(adopt(manifests(alone)).refused)).to.deep.equal([
      "Deployment shop: spec.strategy Recreate",
    ]);
    const code = "BG-NOT-ADOPTABLE";
    expect(
      await failsWith(code, () => adopt(manifests("kind: StatefulSet\nmetadata: { name: db }"))),
    ).to.contain("StatefulSet db");
    const two = `${plain}---\n${plain.replaceAll("name: shop", "name: other")}`;
    expect(await failsWith(code, () => adopt(manifests(two)))).to.contain("there are several: shop, other");
    expect(adopt(manifests(two), { deployment: "other" }).config["imageRepository"]).to.equal(
      "ghcr.io/you/shop",
    );
  });
});
