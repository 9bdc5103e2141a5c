/**
 * What config calls an image: both colors have the same repository, and its tag, with a digest where it has
 * one, tells them apart.
 */
export function tagOf(image: string): string {
  const name = image.slice(image.lastIndexOf("/") + 1);
  const end = name.search(/[:@]/);
  return end === -1 ? image : name.slice(end + 1);
}
