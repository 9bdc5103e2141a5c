import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { forwardPod, type Cluster } from "@bluegreen/release";
import { fetchText } from "@bluegreen/release/util/http";
import { KubeConfig } from "@bluegreen/release/kubernetes/client";

describe("A forward to a pod", () => {
  it("asks the API server for that alone, whatever stands for the pod's name in an EndpointSlice", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const asked: string[] = [];
    server.on("upgrade", ({ url = "" }, socket) => {
      asked.push(url);
      socket.destroy();
    });
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      {
        name: "api",
        server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        skipTLSVerify: true,
      },
      { name: "user" },
    );
    const name = "a/../../../kube-system/pods/etcd/exec?command=id&stdout=true&rest=";
    const forwarded = await forwardPod({ config } as Cluster, { namespace: "shop", name }, 3000);
    await fetchText(forwarded.url, { maxBytes: 1000, timeoutMs: 10_000 }).catch(() => undefined);
    forwarded.close();
    server.close();
    expect(asked).to.deep.equal([
      `/api/v1/namespaces/shop/pods/${encodeURIComponent(name)}/portforward?ports=3000`,
    ]);
  });
});
