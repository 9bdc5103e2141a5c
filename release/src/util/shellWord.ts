/**
 * A word of a command that somebody may paste: quoted where a shell would not take it as it is. Names come
 * from databases, clusters and files of others.
 */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
