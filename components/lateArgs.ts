import * as pulumi from "@pulumi/pulumi";
import { helpOf } from "@bluegreen/release/config/fields";
import { settingKeys, shape, type FlatSettings } from "@bluegreen/release/config/schema";
import { checkSettings } from "@bluegreen/release/config/checkSettings";
import { parseSettings, type Settings } from "@bluegreen/release/config/settings";
import { messageOf } from "@bluegreen/release/util/userError";
import { isFields, type Fields } from "@bluegreen/release/util/json";
import type { BlueGreenAppArgs } from "./args";

type Late<T> = { [K in keyof T]: pulumi.Input<T[K]> };

/** Settings of which some come from other resources. */
export type AppSettings = Omit<Settings, "alerts" | "databaseAccount" | "writeFreeze"> & {
  alerts: Late<Settings["alerts"]>;
  databaseAccount: Late<NonNullable<Settings["databaseAccount"]>> | undefined;
  writeFreeze: Omit<Settings["writeFreeze"], "redisUrl"> & { redisUrl: pulumi.Input<string> };
};

/** What another resource gives: of which argument, or part of one, and what keeps its place until then. */
interface LateValue {
  key: keyof FlatSettings;
  part: string | undefined;
  output: pulumi.Output<unknown>;
  instead: string;
}

/** Arguments with values that keep the rules at the places of those that another resource gives. */
function split(args: Partial<BlueGreenAppArgs>): { plain: Fields; late: LateValue[] } {
  const late: LateValue[] = [];
  const keep = (key: keyof FlatSettings, part: string | undefined, value: unknown, instead?: string) => {
    if (instead === undefined || !(pulumi.Output.isInstance(value) || value instanceof Promise)) return value;
    late.push({ key, part, output: pulumi.output<unknown>(value), instead });
    return instead;
  };
  const plain = Object.fromEntries(
    settingKeys.map((key) => {
      const value: unknown = args[key];
      const { late: instead } = helpOf(shape[key]);
      if (instead === undefined || !isFields(value)) return [key, value];
      if (typeof instead === "string") return [key, keep(key, undefined, value, instead)];
      const parts = Object.entries(value).map(([part, each]) => [part, keep(key, part, each, instead[part])]);
      return [key, Object.fromEntries(parts)];
    }),
  );
  // What is no setting stays, to be refused as such.
  return { plain: { ...args, ...plain }, late };
}

/**
 * Config over what code gives, as arguments: what comes later has its place again where config says nothing.
 * @param check config and code
 */
export function overLate(
  args: Partial<BlueGreenAppArgs>,
  check: (plain: Fields) => FlatSettings,
): BlueGreenAppArgs {
  const { plain, late } = split(args);
  const settings = check(plain);
  const put = (value: unknown, key: keyof FlatSettings, part?: string): unknown => {
    const found = late.find((each) => each.key === key && each.part === part);
    return found?.instead === value ? (found?.output ?? value) : value;
  };
  const all = Object.entries(settings).map(([name, value]) => {
    const key = name as keyof FlatSettings;
    if (typeof helpOf(shape[key]).late !== "object" || !isFields(value)) return [key, put(value, key)];
    return [
      key,
      Object.fromEntries(Object.entries(value).map(([part, each]) => [part, put(each, key, part)])),
    ];
  });
  return Object.fromEntries(all) as BlueGreenAppArgs;
}

/**
 * The settings of arguments. What comes later is checked when it is known, and nothing that needs it is made
 * before.
 * @throws UserError naming every argument that breaks its rule
 */
export function settingsOf(app: string, args: BlueGreenAppArgs): AppSettings {
  const { plain, late } = split(args);
  const settings = parseSettings(app, {}, undefined, plain);
  const text = (value: string, key: keyof FlatSettings, part?: string): pulumi.Input<string> => {
    const found = late.find((each) => each.key === key && each.part === part);
    return found === undefined ? value : checked(app, plain, found);
  };
  const { alerts, writeFreeze, databaseAccount } = settings;
  return {
    ...settings,
    alerts: {
      slackUrl: text(alerts.slackUrl, "alerts", "slackUrl"),
      webhookUrl: text(alerts.webhookUrl, "alerts", "webhookUrl"),
      webhookSecret: text(alerts.webhookSecret, "alerts", "webhookSecret"),
      pagerDutyKey: text(alerts.pagerDutyKey, "alerts", "pagerDutyKey"),
    },
    writeFreeze: { ...writeFreeze, redisUrl: text(writeFreeze.redisUrl, "writeFreeze", "redisUrl") },
    databaseAccount: databaseAccount && {
      adminUrl: text(databaseAccount.adminUrl, "databaseAdminUrl"),
      address: text(databaseAccount.address, "databaseAddress"),
    },
  };
}

function checked(app: string, plain: Fields, { key, part, output }: LateValue): pulumi.Output<string> {
  return output.apply((value) => {
    const whole = plain[key];
    const given = part === undefined ? value : { ...(isFields(whole) && whole), [part]: value };
    try {
      checkSettings(app, {}, undefined, { ...plain, [key]: given });
    } catch (error) {
      throw new pulumi.RunError(messageOf(error));
    }
    return String(value);
  });
}
