import type { z } from "zod";
import type { Color } from "../app/color.js";
import type { PlainRecord, Step } from "../util/step.js";

/** What a plan knows of the update that it is of. */
export interface Upcoming {
  /** No color gets traffic yet. */
  isFirst: boolean;
  activeColor: Color;
  idleColor: Color;
  analysisSeconds: number;
  /** Whether the smoke tests run against the live color as well. */
  smokeLiveColor: boolean;
}

/** What people are shown of a step that decides something. */
interface Gate<Added> {
  title: string;
  /** In a plan; undefined shows nothing there. @default the title */
  planned?: (update: Upcoming) => string | undefined;
  result: (outputs: Added) => string;
}

interface Declared<Inputs, Outputs> {
  /** Pulumi's name of it, behind the name of the app, of the color, or of what else it belongs to. */
  resource: string;
  /**
   * once: for the app. color: for each of them. last: once both colors are as config wants them. named: for each
   * of a setting's, which is a part of the owner's name. @default once
   */
  runs?: "once" | "color" | "last" | "named";
  /** What `run` adds to the inputs. */
  outputs: z.ZodType<Omit<Outputs, keyof Inputs>> & { shape: object };
  /** Inputs that are secret: what a provider hands back has to be marked again. */
  secrets?: (keyof Inputs & string)[];
  gate?: Gate<Omit<Outputs, keyof Inputs>>;
}

/** @param load what runs at update time: a step that needs no database does not wait for its client */
export function step<Inputs extends PlainRecord, Outputs extends PlainRecord>(
  load: () => Promise<Step<Inputs, Outputs>>,
  { resource, runs = "once", outputs, secrets = [], gate }: Declared<Inputs, Outputs>,
) {
  const { title, planned = () => title, result } = gate ?? {};
  return {
    load,
    resource,
    runs,
    outputs: Object.keys(outputs.shape),
    secrets,
    title,
    planned: (update: Upcoming) => (title === undefined ? undefined : planned(update)),
    /** What it came to. A state that another version has written may lack it. */
    result: (state: unknown) => {
      const { data } = outputs.safeParse(state);
      return data === undefined || result === undefined ? "the state does not say" : result(data);
    },
  };
}
