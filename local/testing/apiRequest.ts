import type { IncomingMessage } from "node:http";

/**
 * What a request asks the API server for, in its own words: "list pods", "get services", "create
 * pods/portforward".
 */
export function describeRequest({
  method = "GET",
  url = "/",
  headers,
}: Pick<IncomingMessage, "method" | "url" | "headers">): string {
  const { pathname, searchParams } = new URL(url, "http://api");
  const what = resourceIn(pathname.split("/").filter((part) => part !== ""));
  if (what === undefined) return `get ${pathname}`;
  const verb =
    headers.upgrade === undefined
      ? verbOf(method, { named: what.named, watches: searchParams.get("watch") === "true" })
      : "connect";
  return `${verb} ${what.resource}`;
}

/** Undefined where it is no resource: versions, discovery. */
function resourceIn([root, ...path]: string[]): { resource: string; named: boolean } | undefined {
  const inVersion = root === "api" ? path.slice(1) : root === "apis" ? path.slice(2) : [];
  // A namespace is a resource, too, unless something in it is asked for.
  const [resource, name, subresource] =
    inVersion[0] === "namespaces" && inVersion.length > 2 ? inVersion.slice(2) : inVersion;
  if (resource === undefined) return undefined;
  return {
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    named: name !== undefined,
  };
}

function verbOf(method: string, { named, watches }: { named: boolean; watches: boolean }): string {
  if (method === "GET") return watches ? "watch" : named ? "get" : "list";
  return { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" }[method] ?? method.toLowerCase();
}
