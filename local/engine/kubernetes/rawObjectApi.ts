/**
 * The official client's generic object API, with two things changed: answers stay plain JSON (the typed models
 * turn times into Date objects and drop fields they do not know), and server-side apply sends the object as it is.
 * The library is handed in, because it is loaded only when a cluster is needed.
 */
import type { ResponseContext } from "@kubernetes/client-node";
import type { JsonObject, ObjectReference } from "./objects";

export interface ApplyOptions {
  manager: string;
  force: boolean;
  dryRun: boolean;
}

const header = ({ apiVersion, kind, name, namespace }: ObjectReference) => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

export type Library = typeof import("@kubernetes/client-node");

/** The class is made for the loaded library. */
export function rawObjectApi(library: Library) {
  return class extends library.KubernetesObjectApi {
    async applyObject(reference: ObjectReference, object: JsonObject, options: ApplyOptions): Promise<unknown> {
      const path = await this.specUriPath(header(reference), "patch");
      const request = this.configuration.baseServer.makeRequestContext(path, library.HttpMethod.PATCH);
      request.setHeaderParam("Accept", "application/json");
      request.setHeaderParam("Content-Type", "application/apply-patch+yaml");
      request.setQueryParam("fieldManager", options.manager);
      request.setQueryParam("force", String(options.force));
      if (options.dryRun) request.setQueryParam("dryRun", "All");
      request.setBody(JSON.stringify(object));
      return this.requestPromise(request);
    }

    readObject(reference: ObjectReference): Promise<unknown> {
      return this.read(header(reference));
    }

    async deleteObject(reference: ObjectReference): Promise<void> {
      await this.delete(header(reference), undefined, undefined, undefined, undefined, "Foreground");
    }

    listObjects(apiVersion: string, kind: string, namespace: string | undefined, labelSelector: string): Promise<unknown> {
      return this.list(apiVersion, kind, namespace, undefined, undefined, undefined, undefined, labelSelector);
    }

    async isNamespaced(apiVersion: string, kind: string): Promise<boolean | undefined> {
      return (await this.resource(apiVersion, kind))?.namespaced;
    }

    protected override async processResponse<T>(response: ResponseContext): Promise<T> {
      const text = await response.body.text();
      if (response.httpStatusCode < 200 || response.httpStatusCode > 299) {
        throw new library.ApiException(response.httpStatusCode, "refused", text, response.headers);
      }
      return JSON.parse(text) as T;
    }
  };
}

export type RawObjectApi = InstanceType<ReturnType<typeof rawObjectApi>>;
