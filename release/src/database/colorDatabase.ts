import type { Color } from "../color.js";

/** The database of one color. Both URLs have passwords. */
export interface ColorDatabase {
  color: Color;
  /** As this program reaches it, as a superuser and past any pooler. */
  adminUrl: string;
  /** As the server of the other color reaches it, with a role that may replicate and read every table. */
  peerUrl: string;
}

/** Which color serves users decides the active Service alone. */
export interface DatabasePair {
  live: ColorDatabase;
  idle: ColorDatabase;
}
