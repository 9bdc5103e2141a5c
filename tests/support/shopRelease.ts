import { switchAnnotation, type Color } from "@bluegreen/release";
import { noBaseline } from "@bluegreen/release/analysis/baseline";
import type { Release } from "@bluegreen/release/state/record";
import { startApiServer, type ApiServer } from "./apiServer";

const app = "shop";
export const shop = { context: "test", namespace: "shop", namespacePerColor: false, app } as const;
export const blue = { color: "blue", image: "app:v1", template: "aaa" } as const;
export const green = { color: "green", image: "app:v2", template: "bbb" } as const;

/** What of a release of `shop` a simulated API server has. */
export class ShopRelease {
  constructor(private readonly api: ApiServer) {}

  /** Nothing but a history, and a ready pod of each color. */
  begin(): void {
    for (const { color } of [blue, green])
      this.api.change(`endpointslices/shop-${color}`, {
        metadata: { labels: { "kubernetes.io/service-name": `shop-${color}` } },
        ports: [{ port: 3000 }],
        endpoints: [{ targetRef: { kind: "Pod", name: `shop-${color}-1` } }],
      });
    this.api.change("configmaps/shop-history", { metadata: { name: "shop-history" }, data: {} });
  }

  liveColor(): Color {
    const service = this.api.objects.get("services/shop-service") as {
      spec: { selector: { version: Color } };
    };
    return service.spec.selector.version;
  }

  lead(version: Color): void {
    this.api.change("services/shop-service", {
      metadata: { name: "shop-service", annotations: { [switchAnnotation]: "s1" } },
      spec: { selector: { app, version } },
    });
  }

  /** That of a switch from blue to green, but for what is given. */
  note(part: Partial<Release>): void {
    const release = { id: "s1", kind: "switch", weight: 100, to: green, from: blue, who: "anna", why: "" };
    const rest = { at: new Date().toISOString(), state: "approved", baseline: noBaseline };
    this.api.change("configmaps/shop-release", {
      metadata: { name: "shop-release", resourceVersion: "1" },
      data: { current: JSON.stringify({ ...release, ...rest, contracts: { waiting: [] }, ...part }) },
    });
  }
}

/** A simulated API server that every connection made until `close` leads to, and a release of `shop` in it. */
export async function startShop(): Promise<{
  api: ApiServer;
  release: ShopRelease;
  close: () => Promise<void>;
}> {
  const kubeconfig = process.env["KUBECONFIG"];
  const api = await startApiServer();
  process.env["KUBECONFIG"] = api.kubeconfig;
  return {
    api,
    release: new ShopRelease(api),
    close: async () => {
      if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
      else process.env["KUBECONFIG"] = kubeconfig;
      await api.close();
    },
  };
}
