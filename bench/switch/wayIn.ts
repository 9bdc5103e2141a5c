import type { RequestClient } from "../../local/load/generator/options";
import type { WayIn } from "../../local/load/job";

/** Where a load comes in, and who can come in there. */
export interface Entry {
  /** Undefined: the active Service, by its address. */
  wayIn: WayIn | undefined;
  clients: RequestClient[];
}

/** Straight to the active Service, in plain HTTP as the app speaks it. */
export const service: Entry = { wayIn: undefined, clients: ["short", "keep-alive"] };
