import { helpOf, type FieldHelp } from "@bluegreen/release/config/fields";
import { settingKeys, shape } from "@bluegreen/release/config/schema";

/** A setting as it is declared, for whatever is written from that. */
export interface Described {
  key: (typeof settingKeys)[number];
  isRequired: boolean;
  /** "" where there is none; APP in it is the app's name. */
  fallback: unknown;
  help: FieldHelp;
  /** With what is said of required ones. */
  description: string;
}

/** Every setting in its order. */
export function describedSettings(): Described[] {
  return settingKeys.map((key) => {
    const help = helpOf(shape[key]);
    const fallback = help.ofApp?.("APP") ?? shape[key].safeParse(undefined).data ?? "";
    const isRequired = fallback === "" && !shape[key].safeParse(undefined).success;
    return {
      key,
      isRequired,
      fallback,
      help,
      description: `${isRequired ? "Required. " : ""}${help.description}`,
    };
  });
}
