import { unescape } from "node:querystring";
import { stripVTControlCharacters } from "node:util";

/**
 * A text that a cluster, a pod, a database or a person may have written, as it may come before people: on a
 * terminal, in a log, in a message.
 */
export function shown(text: string): string {
  // What is unseen could keep a secret from being found.
  return masked(printable(text));
}

/** The same value with every text in it, at any depth, as `shown` has it. */
export function shownIn<T>(value: T): T {
  return shownUnknown(value) as T;
}

function shownUnknown(value: unknown): unknown {
  if (typeof value === "string") return shown(value);
  if (Array.isArray(value)) return value.map(shownUnknown);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shownUnknown(each)]));
}

/** Not a Date, which has no texts of others in it. */
function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Unseen, or turning what stands beside them around: they hide words, and the beginning of a line. */
const unseen = /[\p{Bidi_Control}\u00ad\u180e\u200b\u2060-\u2064\ufeff\u{e0000}-\u{e007f}]/gu;

/** What a CI system takes for an order: at the beginning of a line, or wherever it stands. */
const order = /^([^\S\n]*):(?=:)/gm;

const orderAnywhere = /#(?=#(?:\[|vso\[|teamcity\[))/g;

/**
 * A text that others may have written, in letters that only say something: nothing in it moves a cursor,
 * overwrites a line, turns the reading direction, or gives a CI system orders. Lines stay lines, and tabs
 * tabs.
 */
function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\r\n?|[\u2028\u2029]/g, "\n")
    .replaceAll(/[^\P{Cc}\n\t]/gu, "")
    .replaceAll(unseen, "")
    .replaceAll(order, "$1: ")
    .replaceAll(orderAnywhere, "# ");
}

/** What stands where a secret was. */
const mark = "[secret]";

/**
 * Ends of the names whose values are secrets: PGPASSWORD, webhookSecret and x-api-key are such names, too.
 */
const secretName =
  "(?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?|signature|(?:api|access|private)[-_]?key)";
/**
 * Not a secret: one that is hidden already, and the words that stand in this program's own texts instead of
 * one.
 */
const known = String.raw`(?!\[secret\]|\[not shown\]|\(not set\)|…)`;
const quoted = String.raw`'(?:[^'\\]|\\.|'')*'?|"(?:[^"\\]|\\.)*"?`;

const pattern = (source: string, flags = "gi") => new RegExp(source, flags);

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
/** The paths of incoming webhooks are all that it takes to write there. */
const webhook =
  /(\/\/hooks\.slack\.com\/(?:[a-z]+\/)?|\/services\/(?=T\w*\/B\w*\/)|\/api\/webhooks\/(?=\d))(?!(?:[a-z]+\/)?\[secret\])[^\s"'<>?#]+/gi;
/**
 * A URL up to the last @ before a blank or a quote, or, where a quote is a part of the password, before a
 * blank. An image's digest is no host.
 */
const url = /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*:\/\/)([^\s"'<>`]*|\S*)@(?!sha256:)/gi;
const query = pattern(
  String.raw`([?&;][\w.-]{0,40}?(?:${secretName}|\b(?:key|sig|auth))=)${known}[^\s&#"'<>]+`,
);
const assigned = pattern(String.raw`(${secretName}[ \t]*=[ \t]*)${known}(?:${quoted}|[^\s"'<>]+)`);
/** In JSON, also in JSON that is itself a text of JSON, and as Node.js shows objects. */
const member = pattern(
  String.raw`(${secretName}(?:\\*["'])?[ \t]*:[ \t]*)(\\+"(?!\[secret\])(?:[^"\\]|\\+[^"\\])*\\+"|(?!.\[secret\])(?:${quoted})|(?<=["'][ \t]*:[ \t]*)\d[\w.+-]*)`,
);
const header = /(\bauthorization["']?[ \t]*[:=][ \t]*["']?)(?![ \t]*["']?\[secret\])[^\r\n"']+/gi;
/** Of YAML, or of a request: a line of its own, for a sentence continues behind the colon. */
const lineOfItsOwn = pattern(
  String.raw`^([ \t]*[\w.-]{0,60}?${secretName}:[ \t]+)${known}(?!(?:true|false|null)[ \t]*$)\S+(?=[ \t]*$)`,
  "gim",
);
const bearer = /(\bbearer[ \t]+)(?=[^\s"']*\d|[^\s"']{20})[^\s"',;]{6,}/gi;
const knownKeys =
  /(?<![\w-])(?:sk-(?=[\w-]*[\dA-Z])[\w-]{8,}|sk-[a-z]{16,}|[rs]k_(?:live|test)_\w{8,}|gh[opsur]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{8,}|pul-[0-9a-f]{32,}|npm_\w{30,}|A[KS]IA[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)/g;

/**
 * A text that others may have written, without what only its owner should know: passwords and tokens in URLs and
 * connection strings, values of names that say so, API keys, headers, webhooks. Names, hosts and all else stay.
 * @param urls whose passwords are known: they go wherever they are
 */
export function masked(text: string, urls: readonly string[] = []): string {
  return urls
    .flatMap(passwordsOf)
    .reduce((shown, password) => shown.replaceAll(password, mark), text)
    .replaceAll(privateKey, mark)
    .replaceAll(webhook, `$1${mark}`)
    .replaceAll(url, (whole: string, scheme: string, user: string) => withoutUser(scheme, user) ?? whole)
    .replaceAll(query, `$1${mark}`)
    .replaceAll(header, `$1${mark}`)
    .replaceAll(assigned, `$1${mark}`)
    .replaceAll(
      member,
      (_whole, name: string, value: string) => `${name}${quoteOf(value)}${mark}${quoteOf(value)}`,
    )
    .replaceAll(lineOfItsOwn, `$1${mark}`)
    .replaceAll(bearer, `$1${mark}`)
    .replaceAll(knownKeys, mark);
}

/**
 * The passwords in a URL, as they are written there and as PostgreSQL gets them. By their place: a URL that is wrong
 * has passwords, too.
 */
export function passwordsOf(of: string): string[] {
  const places = [/:\/\/[^:@/]*:(.+)@/, /[?&]password=([^&]+)/];
  return places
    .flatMap((place) => place.exec(of)?.slice(1) ?? [])
    .flatMap((password) => [password, unescape(password)]);
}

/**
 * A URL's beginning without its secret; undefined where it has none. A password may hold what ends the host of a URL
 * that is written well: then more of it is hidden than had to be.
 * @param before what stands before the last @
 */
function withoutUser(scheme: string, before: string): string | undefined {
  const isWeb = /^(?:git\+)?(?:https?|wss?):/i.test(scheme);
  const [authority = ""] = before.split(/[/?#"'<>`]/, 1);
  const isWhole = authority.length === before.length;
  // The @ is of a path or a query.
  if (isWeb && !isWhole && !authority.includes("@") && /^(?:\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.test(authority))
    return undefined;
  if (isWeb) {
    const end = isWhole ? -1 : authority.lastIndexOf("@");
    return end === -1 ? `${scheme}${mark}@` : `${scheme}${mark}${before.slice(end)}@`;
  }
  const colon = before.indexOf(":");
  // A name alone is no secret.
  return colon === -1 || colon > authority.length ? undefined : `${scheme}${before.slice(0, colon)}:${mark}@`;
}

function quoteOf(value: string): string {
  return /^\\*["']/.exec(value)?.[0] ?? "";
}
