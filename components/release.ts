import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "@bluegreen/release/settings/settings";
import { BlueGreenApp } from "./blueGreenApp";
import { lock, unlock } from "./phases/lock";
import { prepare } from "./phases/prepare";
import { contract, settle } from "./phases/settle";
import { switchUsers } from "./phases/switchUsers";

/** What a release has come to. */
export interface Released {
  liveColor: pulumi.Output<string>;
  schemaVersion: pulumi.Output<string>;
  previewPassword: pulumi.Output<string>;
}

/**
 * One release of an app. The only place that knows its order:
 *
 *     lock      on the live color
 *     prepare   isolation, room for both colors → config of both colors → expand migrations → trial of a live change
 *               → the active color rolls out → its schema and smoke gates → the gate of the switch
 *     switch    the active Service points to it → the route leads there → the watch, and the drain of the other color
 *     settle    the other color rolls out → its gates
 *     contract  contract migrations
 *     unlock
 *
 * The color that config makes active always comes first. So a switch moves traffic only after its
 * gates, and a rollback moves it away from a bad color before that one is touched. Where config gives
 * the other color a share of the users, the route comes after that color's gates, and a watch of its own.
 */
export function release(name: string, settings: Settings): Released {
  const locked = lock(new BlueGreenApp(name, settings));
  const settled = settle(switchUsers(prepare(locked)));
  unlock(locked, [...settled.last, ...contract(settled)]);
  const { liveColor, migrations, route } = settled;
  return { liveColor, schemaVersion: migrations.schemaVersion, previewPassword: route.previewPassword };
}
