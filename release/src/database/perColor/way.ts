import { publish } from "./publication.js";
import type { Direction } from "./side.js";
import { drop, subscribe } from "./subscription.js";

/** From here on keeps what is written on one side, to bring it to the other one once that has stopped writing. */
export async function prepareWay(direction: Direction): Promise<void> {
  await drop(direction);
  await publish(direction.from);
  await subscribe(direction, "prepared");
}
