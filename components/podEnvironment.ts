import type { Color } from "@bluegreen/release";
import { names, variables } from "@bluegreen/release/app/names";
import { isFields, type Fields } from "@bluegreen/release/util/json";
import { secretKeysOf, type ColorSettings } from "@bluegreen/release/config/settings";
import { secretName } from "@bluegreen/release/databases/databaseSecrets";
import { freezeKey } from "@bluegreen/release/freeze/flag";
import { activeColorPath } from "./activeColorFile";
import type { AppSettings } from "./lateArgs";
import { stackName } from "./stackName";

interface Of {
  app: string;
  color: Color;
  tag: string;
  settings: AppSettings;
  /** Whether the user's template takes variables from whole objects, of which nobody here knows the names. */
  hasOwnObjects: boolean;
}

/**
 * What a pod is told: the release's own words, whose prefix is nobody else's, and where the user's objects may not
 * have them already, two that many apps read.
 */
export function appVariables({ app, color, tag, settings, hasOwnObjects }: Of): Fields[] {
  const {
    databaseSecret,
    connectionDrain: { port },
    activeColorFile,
    database: { strategy },
  } = settings;
  const hasDatabase = strategy !== "none";
  return [
    { name: variables.color, value: color },
    { name: variables.version, value: tag },
    ...(hasOwnObjects ? [] : [{ name: "APP_VERSION", value: tag }]),
    ...(hasDatabase && !hasOwnObjects
      ? [
          {
            name: "DATABASE_URL",
            valueFrom: {
              secretKeyRef: { name: secretName({ strategy, databaseSecret }, color), key: "url" },
            },
          },
        ]
      : []),
    // libpq and most drivers take it as the session's name: so the database can tell who is still connected.
    ...(hasDatabase ? [{ name: "PGAPPNAME", value: names.session(app, color, tag) }] : []),
    { name: variables.readOnlyKey, value: freezeKey(stackName(), app) },
    ...(activeColorFile ? [{ name: variables.activeColorFile, value: activeColorPath }] : []),
    // No container port: the app listens on the loopback address, and nobody but a port-forward comes there.
    ...(port === 0 ? [] : [{ name: variables.drainPort, value: String(port) }]),
  ];
}

/**
 * Of each name one variable: config's, or else the template's, or else the release's. In a container every one of
 * these would win over whole objects, in which config's are.
 */
export function envOf({ env }: Fields, ours: Fields[], config: ColorSettings): Fields[] {
  const ofConfig = { ...config.env, ...config.secretEnv, ...config.envFromSecrets };
  const given = (Array.isArray(env) ? env.filter(isFields) : []).filter(
    ({ name }) => !(String(name) in ofConfig),
  );
  const isTaken = ({ name }: Fields) =>
    String(name) in ofConfig || given.some((each) => each["name"] === name);
  return [
    ...ours.filter((each) => !isTaken(each)),
    ...given,
    ...secretKeysOf(config).map(({ variable, name, key }) => ({
      name: variable,
      valueFrom: { secretKeyRef: { name, key } },
    })),
  ];
}
