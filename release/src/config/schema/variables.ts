import { z } from "zod";
import type { Color } from "../../app/color.js";
import { asWritten, mapField, objectField, objectOf, part, deployment } from "../fields.js";
import { isSecretKey, variable } from "../forms.js";
import { podTemplateRule, podTemplateSchema } from "../podTemplate/podTemplateSchema.js";
import { cronJobs, cronJobsRule, workers, workersRule } from "../background.js";
import { podTemplateFile, podTemplateFileRule } from "./pods.js";

const variableName = z.string().regex(variable);

/** What a container can be told: no text with a zero byte in it. */
const variableText = z.string().regex(/^[^\0]*$/);

const env = z
  .record(variableName, z.union([variableText, z.boolean().transform(String), z.int().transform(String)]))
  .default({});
const envRule = `an object of variable names and texts; a number is whole and at most 15 digits long, or in quotes (pulumi config set --path --type=string …), or it would change`;

const secretEnv = z.record(variableName, variableText.min(1)).default({});
const secretEnvRule = `an object of variable names and texts, none of them empty`;

const envFromSecrets = z.record(variableName, z.string().refine(isSecretKey));
const envFromSecretsRule = `an object of variable names and SECRET/KEY`;

/** The variables and the template of one color. They win over those of both. */
function colorSettings(color: Color) {
  const own = objectOf({
    env: part(env, envRule),
    secretEnv: part(secretEnv, secretEnvRule),
    envFromSecrets: part(envFromSecrets.default({}), envFromSecretsRule),
    podTemplate: part(podTemplateSchema.prefault({}), podTemplateRule),
    podTemplateFile: part(podTemplateFile.optional(), podTemplateFileRule),
    workers: part(workers.optional(), workersRule),
    cronJobs: part(cronJobs.optional(), cronJobsRule),
    activeColorFile: part(z.boolean().optional(), "true or false"),
  });
  return objectField(
    own,
    {
      description: `What is ${color}'s alone: env, secretEnv (each value secret), envFromSecrets and podTemplate as for both, over those, podTemplateFile and activeColorFile instead of that of both, and workers and cronJobs, of which one replaces that of both with its name.`,
      example: `--path '${color}.env.LOG_LEVEL' info`,
      ends: { place: "a ConfigMap of the color", instead: `${color}.secretEnv` },
    },
    asWritten,
  );
}

/** The variables of pods: of both colors, and what is one color's alone. */
export const variablesShape = {
  env: mapField(env, {
    rule: envRule,
    description:
      "Variables for the pods of both colors, in a ConfigMap of each (docs/guides/configuration-per-release.md): never encrypted. Names that the program sets, too, are then yours. A number that is not whole stands in quotes.",
    example: `--path 'env.LOG_LEVEL' info`,
    ends: { place: "a ConfigMap of each color", instead: "secretEnv" },
  }),
  secretEnv: mapField(secretEnv, {
    rule: secretEnvRule,
    // Without a value: Pulumi asks for it, and no shell remembers it.
    description:
      "Secret. Variables for the pods of both colors, in a Secret of each: pulumi config set --secret --path secretEnv.NAME.",
    example: `--secret --path 'secretEnv.NAME'`,
    ends: "secret",
  }),
  envFromSecrets: mapField(envFromSecrets.default({}), {
    rule: envFromSecretsRule,
    description:
      "Variables that pods take from Secrets of yours, as SECRET/KEY in their namespace. What secretEnv gives is not asked of a Secret.",
    example: "--path envFromSecrets.API_KEY api-credentials/key",
    ends: deployment,
  }),
  blue: colorSettings("blue"),
  green: colorSettings("green"),
};
