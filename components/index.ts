/** Blue-green releases of a web app, for any Pulumi program. */
export { BlueGreenApp } from "./blueGreenApp";
export { configArgs } from "./configArgs";
export type { BlueGreenAppArgs } from "./args";
