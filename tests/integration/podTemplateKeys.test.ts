import { expect } from "chai";
import {
  ApiException,
  HttpMethod,
  KubernetesObjectApi,
  type ResponseContext,
} from "@bluegreen/release/kubernetes/client";
import { mergeKeys } from "@bluegreen/release/config/podTemplate/strategicMerge";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

interface Property {
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-patch-merge-key"?: string;
}

/** What the API server says of its types. */
class OpenApi extends KubernetesObjectApi {
  async definitions(): Promise<Record<string, { properties: Record<string, Property> }>> {
    const request = this.configuration.baseServer.makeRequestContext("/openapi/v2", HttpMethod.GET);
    request.setHeaderParam("Accept", "application/json");
    const document = (await this.requestPromise(request)) as unknown as {
      definitions: Record<string, { properties: Record<string, Property> }>;
    };
    return document.definitions;
  }

  protected override async processResponse<T>(response: ResponseContext): Promise<T> {
    const text = await response.body.text();
    if (response.httpStatusCode !== 200)
      throw new ApiException(response.httpStatusCode, "refused", text, response.headers);
    return JSON.parse(text) as T;
  }
}

/** A template has none: they are added to pods that run. */
const inNoTemplate = new Set(["ephemeralContainers"]);

describe("Keys that pod templates are merged by", function () {
  let test: TestNamespace;
  before(async () => {
    test = await makeNamespace();
  });
  after(() => test.remove());

  it("are those of the API server, all of them", async () => {
    const definitions = await test.cluster.config.makeApiClient(OpenApi).definitions();
    for (const [type, keys] of Object.entries(mergeKeys)) {
      const properties = definitions[`io.k8s.api.core.v1.${type}`]?.properties ?? {};
      const known = Object.entries(properties).flatMap(([name, property]) => {
        const { "x-kubernetes-list-map-keys": all, "x-kubernetes-patch-merge-key": one } = property;
        const found = all ?? (one === undefined ? undefined : [one]);
        return found === undefined || inNoTemplate.has(name) ? [] : [[name, found] as const];
      });
      expect(Object.fromEntries(known), type).to.deep.equal(keys);
    }
  });
});
