import type { z } from "zod";
import { colorsShape } from "./schema/colors.js";
import { namespacesShape } from "./schema/namespaces.js";
import { trafficShape } from "./schema/traffic.js";
import { variablesShape } from "./schema/variables.js";
import { podsShape } from "./schema/pods.js";
import { gatesShape } from "./schema/gates.js";
import { migrationsShape } from "./schema/migrations.js";
import { analysisShape } from "./schema/analysis.js";
import { alertsShape } from "./schema/alerts.js";
import { safeguardsShape } from "./schema/safeguards.js";
import { databaseShape } from "./schema/database.js";

/**
 * Every setting, declared once: its type, default, unit, rule, description, and where it ends. Pulumi.yaml, the
 * arguments of `BlueGreenApp` and the reference page are written from this list (`npm run docs`), and `init`
 * asks what it says. Where a description says config, an argument is meant as well.
 */
export const shape = {
  ...colorsShape,
  ...namespacesShape,
  ...trafficShape,
  ...variablesShape,
  ...podsShape,
  ...gatesShape,
  ...migrationsShape,
  ...analysisShape,
  ...alertsShape,
  ...safeguardsShape,
  ...databaseShape,
};

export type FlatSettings = { [K in keyof typeof shape]: z.output<(typeof shape)[K]> };

/** Every key that a stack's config may have. */
export const settingKeys = Object.keys(shape) as (keyof FlatSettings)[];
