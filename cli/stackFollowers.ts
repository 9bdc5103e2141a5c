import { colors } from "@bluegreen/release";
import { cronJobs, workers, type FollowerConfig } from "@bluegreen/release/config/background";
import { isFields, parseJson, type Fields } from "@bluegreen/release/util/json";
import { readStackSettings, stackTexts } from "./stackConfig";

/**
 * What of a stack follows the live color, by nothing but its file. What else is a color's alone may be secret, and is
 * not read. Of a program that has it in code nothing is known here: the update that follows decides that.
 */
export function readStackFollowers(stack: string, file?: string): FollowerConfig {
  const texts = stackTexts(stack, file);
  const [blue, green] = colors.map((color) => {
    const own = parseJson(texts[color] ?? "{}");
    return isFields(own)
      ? {
          workers: workers.optional().catch(undefined).parse(own["workers"]),
          cronJobs: cronJobs.optional().catch(undefined).parse(own["cronJobs"]),
          activeColorFile: fileIn(own),
        }
      : {};
  });
  return {
    ...readStackSettings(stack, ["workers", "cronJobs", "activeColorFile"], file),
    blue: { ...blue },
    green: { ...green },
  };
}

function fileIn({ activeColorFile }: Fields): boolean | undefined {
  return typeof activeColorFile === "boolean" ? activeColorFile : undefined;
}
