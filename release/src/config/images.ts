/** Names of images, as a registry and a node's runtime take them. */
import { isPort, label } from "./forms.js";

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
