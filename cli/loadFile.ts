import { readFileSync } from "node:fs";
import { z } from "zod";
import { colors, messageOf, UserError } from "@bluegreen/release";
import { parseJson } from "@bluegreen/release/util/json";
import type { LoadFigures } from "../pages/report/facts";

const count = z.number().nonnegative();
const latency = count.nullable();

const loadSchema = z.object({
  requests: count,
  failures: count,
  failureTexts: z.array(z.object({ text: z.string(), client: z.string(), count })),
  phases: z.array(
    z.object({
      title: z.string(),
      startedAt: count,
      clients: z.array(
        z.object({
          client: z.string(),
          requests: count,
          failures: count,
          answers: z.object({ blue: count, green: count }),
          p50Ms: count.optional(),
          p99Ms: count.optional(),
        }),
      ),
    }),
  ),
  seconds: z.array(
    z.object({ second: count, color: z.enum(colors), requests: count, p50Ms: latency, p99Ms: latency }),
  ),
});

/**
 * What a load has counted, from a file as `npm start -- --json` prints it. @throws UserError when it is none
 */
export function readLoad(file: string): LoadFigures {
  const refuse = (rule: string) =>
    new UserError({
      code: "BG-OPTION-INVALID",
      what: `--load ${file} was refused`,
      rule,
      next: "npm start -- --json > FILE makes one",
    });
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const parsed = loadSchema.safeParse(parseJson(text));
  if (!parsed.success)
    throw refuse(
      `it has to hold the figures of a load:\n        ${z.prettifyError(parsed.error).replaceAll("\n", "\n        ")}`,
    );
  return parsed.data;
}
