import {
  ApiException,
  HttpMethod,
  KubeConfig,
  KubernetesObjectApi,
  type ResponseContext,
} from "@bluegreen/release/kubernetes/client";
import { orUndefined } from "@bluegreen/release";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Objects of any kind as plain JSON, by server-side apply. */
export interface RawObjects {
  /** Creates the object, or makes it what is given here. */
  apply(object: JsonObject, manager: string): Promise<void>;
  /** @returns undefined where there is none */
  read(object: JsonObject): Promise<JsonObject | undefined>;
}

export function rawObjects(kubeconfig: string, context: string): RawObjects {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  config.setCurrentContext(context);
  const api = config.makeApiClient(RawObjectApi);
  return {
    apply: async (object, manager) => {
      await api.applyRaw(headerOf(object), object, manager);
    },
    read: async (object) => orUndefined(api.read(headerOf(object)) as unknown as Promise<JsonObject>),
  };
}

/**
 * The official client's generic API with two things changed: answers stay plain JSON, and an object is sent
 * as it is. Its typed models drop the fields that they do not know, such as `x-kubernetes-…` of a
 * CustomResourceDefinition.
 */
class RawObjectApi extends KubernetesObjectApi {
  async applyRaw(header: Header, object: JsonObject, manager: string): Promise<unknown> {
    const request = this.configuration.baseServer.makeRequestContext(
      await this.specUriPath(header, "patch"),
      HttpMethod.PATCH,
    );
    request.setHeaderParam("Accept", "application/json");
    request.setHeaderParam("Content-Type", "application/apply-patch+yaml");
    request.setQueryParam("fieldManager", manager);
    request.setQueryParam("force", "true");
    request.setBody(JSON.stringify(object));
    return this.requestPromise(request);
  }

  protected override async processResponse<T>(response: ResponseContext): Promise<T> {
    const text = await response.body.text();
    if (response.httpStatusCode < 200 || response.httpStatusCode > 299)
      throw new ApiException(response.httpStatusCode, "refused", text, response.headers);
    return JSON.parse(text) as T;
  }
}

interface Header {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

function headerOf(object: JsonObject): Header {
  const namespace = digText(object, "metadata", "namespace");
  return {
    apiVersion: digText(object, "apiVersion") ?? "v1",
    kind: digText(object, "kind") ?? "",
    metadata: {
      name: digText(object, "metadata", "name") ?? "",
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
}

export const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/** What stands at a path of keys, if anything does. */
function dig(object: Json | undefined, ...keys: string[]): Json | undefined {
  return keys.reduce<Json | undefined>((at, key) => (isObject(at) ? at[key] : undefined), object);
}

export function digText(object: Json | undefined, ...keys: string[]): string | undefined {
  const found = dig(object, ...keys);
  return typeof found === "string" ? found : undefined;
}

export function digList(object: Json | undefined, ...keys: string[]): JsonObject[] {
  const found = dig(object, ...keys);
  return Array.isArray(found) ? found.filter(isObject) : [];
}
