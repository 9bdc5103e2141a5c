import { isIPv4, isIPv6 } from "node:net";

// Forms of names, addresses, quantities and images: what these refuse, the API server, a URL's reader or a
// registry would refuse later.

/** A part of a name between dots, as a pattern. */
const label = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const subdomain = String.raw`${label}(?:\.${label})*`;

/** Of a namespace. */
export const dnsLabel = new RegExp(`^(?=.{1,63}$)${label}$`);
/** Of most objects. */
export const dnsSubdomain = new RegExp(`^(?=.{1,253}$)${subdomain}$`);
export const labelKey = new RegExp(
  String.raw`^(?:(?=[^/]{1,253}/)${subdomain}/)?(?=[^/]{1,63}$)[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?$`,
);
export const labelValue = /^(?=.{0,63}$)(?:[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?)?$/;
/**
 * Of a variable in a ConfigMap or a Secret. Kubernetes would take dots and dashes, too; a shell would not.
 */
export const variable = /^(?=.{1,253}$)[A-Za-z_][A-Za-z0-9_]*$/;

/** SECRET/KEY in the namespace of the pods. */
export function isSecretKey(text: string): boolean {
  const [name = "", key = "", ...more] = text.split("/");
  return more.length === 0 && dnsSubdomain.test(name) && /^(?!\.\.?$|\.\.)[-._A-Za-z0-9]{1,253}$/.test(key);
}

/** @param at one that `isSecretKey` took */
export function secretKeyAt(at: string): { name: string; key: string } {
  const [name = "", key = ""] = at.split("/");
  return { name, key };
}

/** Of an Ingress or a route: a name, whose labels DNS could know, and no address. */
export function isHostName(text: string): boolean {
  return dnsSubdomain.test(text) && !isIPv4(text) && text.split(".").every((each) => each.length <= 63);
}

/** NAMESPACE/NAME, and of one of its listeners NAMESPACE/NAME/LISTENER. */
export function isGateway(text: string): boolean {
  const [namespace = "", ...names] = text.split("/");
  return (
    dnsLabel.test(namespace) &&
    (names.length === 1 || names.length === 2) &&
    names.every((name) => dnsSubdomain.test(name))
  );
}

/** A host as resolvers know it, an IPv4 address, or an IPv6 address in brackets. */
function isHost(text: string): boolean {
  const address = /^\[([^\]%]+)\]$/.exec(text)?.[1];
  if (address !== undefined) return isIPv6(address);
  // What ends in a number is an address to whoever reads a URL.
  if (/(?:^|\.)\d+\.?$/.test(text)) return isIPv4(text);
  return /^(?=.{1,253}$)[A-Za-z0-9_](?:[-\w.]*\w)?\.?$/.test(text) && !text.includes("..");
}

/** From 1 to 65535. */
function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** HOST:PORT */
export function isAddress(text: string): boolean {
  const [, host = "", port = ""] = /^(.+):(\d+)$/.exec(text) ?? [];
  return isHost(host) && isPort(port);
}

/** Without a user or a password. */
export function isRedisUrl(text: string): boolean {
  const [whole, host = "", port = "6379"] =
    /^rediss?:\/\/(\[[^\]]*\]|[^\s:/?#@[\]]+)(?::(\d+))?(?:\/\d+)?$/.exec(text) ?? [];
  return whole !== undefined && isHost(host) && isPort(port);
}

/**
 * As drivers read it: what of a user, a password or a name would end a part of a URL is written by its
 * number, a / as %2F.
 */
export function isPostgresUrl(text: string): boolean {
  const word = String.raw`(?:[^\s:/?#@[\]%]|%[0-9A-Fa-f]{2})`;
  const [whole, host = "", port = "5432"] =
    new RegExp(
      String.raw`^postgres(?:ql)?:\/\/(?:${word}*(?::${word}*)?@)?(\[[^\]]*\]|${word}+)(?::(\d+))?(?:\/${word}*)?(?:\?(?:[^\s#@%]|%[0-9A-Fa-f]{2})*)?$`,
    ).exec(text) ?? [];
  // By its folder, a host is a socket.
  return (
    whole !== undefined && (host.startsWith("%2F") || host.startsWith("%2f") || isHost(host)) && isPort(port)
  );
}

/**
 * http(s)://HOST/PATH without a user or a query: what they carry would be readable in the state and in the
 * cluster.
 */
export function isPlainUrl(text: string): boolean {
  return (
    /^https?:\/\/[^\s@?#/\\]+(?:\/[^\s@?#\\]*)?$/.test(text) &&
    URL.canParse(text) &&
    new URL(text).port !== "0"
  );
}

/** In a container, a path alone: //HOST would lead elsewhere. */
export const httpPath = /^\/(?!\/)[\w.~/-]*$/;

/** A folder or a glob that leads out of the program's folder, or that a command would take for an option. */
export function leadsOut(path: string): boolean {
  return /^[-/~]/.test(path) || /(?:^|[/\\{,(|])\.\.(?:$|[/\\},)|])/.test(path);
}

/**
 * Kubernetes quantities that make sense for a container: 250m or 0.5 of a CPU, which it divides no further
 * than by 1000, and 256Mi, 1.5Gi or 512M of memory.
 */
export const cpuPattern = /^(\d{1,9}m|\d{1,9}(\.\d{1,3})?)$/;
export const cpuRule = "CPUs, as 250m or 0.5";
/** Without m, which Kubernetes takes for thousandths of a byte. */
export const memoryPattern = /^\d{1,15}(\.\d{1,3})?(Ki|Mi|Gi|Ti|k|M|G|T)?$/;
export const memoryRule = "memory, as 256Mi, 1.5Gi or 512M";

/** The API server hands back whatever others have written. */
const factors: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number behind a quantity, in CPUs or bytes. */
export function quantity(text: string): number {
  const unit = /[A-Za-z]*$/.exec(text)?.[0] ?? "";
  return Number.parseFloat(text) * (factors[unit] ?? Number.NaN);
}

// Names of images, as a registry and a node's runtime take them.
const registry = String.raw`(?:${label}(?:\.${label})*|\[[0-9a-f:.]+\])(?::\d{1,5})?`;
const part = "[a-z0-9]+(?:(?:[.]|__?|-+)[a-z0-9]+)*";
const repository = new RegExp(String.raw`^(?=.{1,255}$)(?:${registry}/)?${part}(?:/${part})*$`);

/** latest names another image tomorrow; with a digest behind it, it does not. */
export const tagPattern = /^(?!latest$)\w[\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?$/;
const digest = /^sha256:[0-9a-f]{64}$/;

/** Without a tag. A colon stands before a registry's port, and nowhere else. */
export function isRepository(text: string): boolean {
  const port = /:(\d+)\//.exec(text)?.[1];
  return repository.test(text) && (port === undefined || isPort(port));
}

/** Of an image, without its tag and its digest. */
export function repositoryOf(image: string): string {
  const [named = ""] = image.split("@");
  const colon = named.lastIndexOf(":");
  return colon <= named.lastIndexOf("/") ? named : named.slice(0, colon);
}

/** With a tag that stays, a digest, or both. */
export function isImage(text: string): boolean {
  const [named = "", behind, ...more] = text.split("@");
  if (more.length > 0 || (behind !== undefined && !digest.test(behind))) return false;
  const colon = named.lastIndexOf(":");
  if (colon <= named.lastIndexOf("/")) return behind !== undefined && isRepository(named);
  return (
    isRepository(named.slice(0, colon)) &&
    tagPattern.test(`${named.slice(colon + 1)}${behind === undefined ? "" : `@${behind}`}`)
  );
}
