import { clusterErrors, podErrors } from "./errorCodes/cluster.js";
import { commandErrors } from "./errorCodes/commands.js";
import { databaseErrors, migrationErrors } from "./errorCodes/databases.js";
import { gateErrors, trafficErrors } from "./errorCodes/traffic.js";

const all = {
  ...clusterErrors,
  ...commandErrors,
  ...databaseErrors,
  ...gateErrors,
  ...migrationErrors,
  ...podErrors,
  ...trafficErrors,
};

export type ErrorCode = keyof typeof all;

/**
 * Every error that a user can meet, by the code that its message ends with, in the order of the alphabet. `npm run
 * docs` writes docs/reference/errors.md from it. A code is for a kind of error, and keeps its meaning: pages, alerts
 * and scripts refer to it.
 */
export const errorCodes = Object.fromEntries(
  Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1)),
) as typeof all;
