/** Blue-green releases of a web app, for any Pulumi program. */
export { BlueGreenApp } from "./blueGreenApp";
export type { BlueGreenAppArgs } from "./args";
