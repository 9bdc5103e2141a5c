import { expect } from "chai";
import { describeRequest } from "../../local/testing/apiRequest";

describe("A request to the API server, in words", () => {
  const cases: [string, string, string][] = [
    ["GET", "/api/v1/namespaces/ns/pods?labelSelector=app%3Dx", "list pods"],
    ["GET", "/api/v1/namespaces/ns/pods/p", "get pods"],
    ["GET", "/api/v1/namespaces/ns/pods?watch=true", "watch pods"],
    ["GET", "/api/v1/namespaces/ns/pods/p/log?tailLines=1", "get pods/log"],
    ["GET", "/api/v1/namespaces/ns", "get namespaces"],
    ["GET", "/api/v1/namespaces", "list namespaces"],
    ["POST", "/api/v1/namespaces/ns/configmaps", "create configmaps"],
    ["PATCH", "/apis/apps/v1/namespaces/ns/deployments/d?fieldManager=m", "patch deployments"],
    ["PUT", "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l", "update leases"],
    ["DELETE", "/api/v1/nodes/n", "delete nodes"],
    ["GET", "/apis/apps/v1", "get /apis/apps/v1"],
    ["GET", "/version", "get /version"],
  ];
  for (const [method, url, words] of cases) {
    it(`${method} ${url} is "${words}"`, () => {
      expect(describeRequest({ method, url, headers: {} })).to.equal(words);
    });
  }

  it("a port forward is a connection", () => {
    expect(
      describeRequest({
        method: "GET",
        url: "/api/v1/namespaces/ns/pods/p/portforward?ports=3000",
        headers: { upgrade: "websocket" },
      }),
    ).to.equal("connect pods/portforward");
  });
});
