import type { Color } from "../color.js";

/** The database of one color. */
export interface ColorDatabase {
  color: Color;
  /** Connection of an administrator, as this program reaches the server. Secret. */
  adminUrl: string;
  /** The same, as the server of the other color reaches it. Secret. */
  peerUrl: string;
}

/** The databases of both colors: by which of them serves users. */
export interface DatabasePair {
  live: ColorDatabase;
  idle: ColorDatabase;
}
