/** Both colors have the same repository: the tag, or the digest, tells them apart. */
export function tagOf(image: string): string {
  const last = image.split("/").at(-1) ?? image;
  const [name = "", digest] = last.split("@");
  return digest ?? (name.includes(":") ? name.slice(name.indexOf(":") + 1) : image);
}
