/** Forms of names and addresses: what these refuse, the API server or a URL's reader would refuse later. */
import { isIPv4, isIPv6 } from "node:net";

/** A part of a name between dots, as a pattern. */
export const label = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
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
export function isPort(text: string): boolean {
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
