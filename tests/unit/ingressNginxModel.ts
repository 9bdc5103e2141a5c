/**
 * A model of what ingress-nginx makes of Ingresses: upstreams and locations as its controller does
 * (internal/ingress/controller: createUpstreams, getBackendServers, mergeAlternativeBackends), and the choice
 * between them as its balancer does (rootfs/etc/nginx/lua/balancer.lua, sticky.lua), as of release 1.15. It is no
 * ingress-nginx: what it leaves out, this project does not use.
 */
export interface IngressObject {
  metadata: { name: string; annotations: Record<string, string> };
  spec: {
    rules: {
      host: string;
      http: { paths: { path: string; pathType: string; backend: { service: { name: string } } }[] };
    }[];
  };
}

interface Upstream {
  service: string;
  /** Set by the first Ingress that names the Service: no location of production traffic uses a canary's. */
  canary: Record<string, string> | undefined;
  isSticky: boolean;
  alternatives: string[];
}

interface Location {
  path: string;
  pathType: string;
  service: string;
}

/** A request, as the balancer looks at it. */
export interface Asked {
  host: string;
  path: string;
  headers?: Record<string, string>;
  cookies?: Record<string, string>;
  /** The Service whose cookie it has: by that name the balancer knows whether it is its own. */
  affinity?: string;
  /** From 1 to 100, as the balancer draws it. */
  drawn?: number;
}

const prefix = "nginx.ingress.kubernetes.io";

/** What a controller has made of Ingresses. */
export class IngressNginx {
  readonly #upstreams = new Map<string, Upstream>();
  readonly #servers = new Map<string, Location[]>();

  /** @param ingresses the oldest first; those of the same second in any order */
  constructor(ingresses: readonly IngressObject[]) {
    for (const each of ingresses) this.#createUpstreams(each);
    for (const each of ingresses) this.#addLocations(each);
    for (const each of ingresses) if (isCanary(each)) this.#merge(each);
  }

  /** Services of canaries that no location uses: their weight, header and cookie do nothing. */
  get inert(): string[] {
    const used = [...this.#upstreams.values()].flatMap(({ alternatives }) => alternatives);
    return [...this.#upstreams.values()]
      .filter(({ service, canary }) => canary !== undefined && !used.includes(service))
      .map(({ service }) => service);
  }

  /** The Service that answers; undefined for 404. */
  answer(asked: Asked): string | undefined {
    const location = this.#servers
      .get(asked.host)
      ?.toSorted((a, b) => b.path.length - a.path.length)
      .find((each) => matches(each, asked.path));
    const primary = location && this.#upstreams.get(location.service);
    if (primary === undefined) return undefined;
    const alternative = this.#upstreams.get(primary.alternatives[0] ?? "");
    return alternative !== undefined && goesToAlternative(primary, alternative, asked)
      ? alternative.service
      : primary.service;
  }

  #createUpstreams(ingress: IngressObject): void {
    for (const { path } of pathsOf(ingress)) {
      const { name: service } = path.backend.service;
      // Whoever names it first decides what it is.
      if (this.#upstreams.has(service)) continue;
      const canary = isCanary(ingress) ? ingress.metadata.annotations : undefined;
      this.#upstreams.set(service, { service, canary, isSticky: false, alternatives: [] });
    }
  }

  #addLocations(ingress: IngressObject): void {
    for (const { host, path } of pathsOf(ingress)) {
      const { name: service } = path.backend.service;
      const upstream = this.#upstreams.get(service);
      if (upstream === undefined || upstream.canary !== undefined) continue;
      const locations = this.#servers.get(host) ?? [];
      this.#servers.set(host, locations);
      if (!locations.some((each) => each.path === path.path && each.pathType === path.pathType))
        locations.push({ path: path.path, pathType: path.pathType, service });
      upstream.isSticky ||= ingress.metadata.annotations[`${prefix}/affinity`] === "cookie";
    }
  }

  #merge(ingress: IngressObject): void {
    for (const { host, path } of pathsOf(ingress)) {
      const alternative = this.#upstreams.get(path.backend.service.name);
      if (alternative === undefined) continue;
      let isMerged = false;
      let isPrimary = false;
      for (const location of this.#servers.get(host) ?? []) {
        const primary = this.#upstreams.get(location.service);
        if (primary === undefined) continue;
        isPrimary = primary === alternative;
        if (isPrimary) break;
        if (location.path !== path.path || location.pathType !== path.pathType) continue;
        if (ingress.metadata.annotations[`${prefix}/affinity-canary-behavior`] !== "legacy")
          alternative.isSticky = primary.isSticky;
        primary.alternatives.push(alternative.service);
        isMerged = true;
      }
      if (!isPrimary && !isMerged) this.#upstreams.delete(alternative.service);
    }
  }
}

function goesToAlternative(primary: Upstream, alternative: Upstream, asked: Asked): boolean {
  if (primary.isSticky && asked.affinity === primary.service) return false;
  if (alternative.isSticky && asked.affinity === alternative.service) return true;
  const policy = (name: string) => alternative.canary?.[`${prefix}/canary-${name}`];
  const header = asked.headers?.[policy("by-header") ?? ""];
  if (header !== undefined && header === policy("by-header-value")) return true;
  if (asked.cookies?.[policy("by-cookie") ?? ""] === "always") return true;
  return (asked.drawn ?? 100) <= Number(policy("weight") ?? 0);
}

function matches({ path, pathType }: Location, asked: string): boolean {
  return pathType === "ImplementationSpecific"
    ? new RegExp(`^${path}`).test(asked)
    : path === "/" || asked === path || asked.startsWith(`${path}/`);
}

function pathsOf({ spec }: IngressObject) {
  return spec.rules.flatMap(({ host, http }) => http.paths.map((path) => ({ host, path })));
}

function isCanary({ metadata }: IngressObject): boolean {
  return metadata.annotations[`${prefix}/canary`] === "true";
}
