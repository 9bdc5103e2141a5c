/** A program with resources of its own, whose real effects a test can look at. */
import { EngineError } from "../../local/engine/engine";
import { PRELUDE } from "./workspace";

/**
 * Things are files in the folder "world": made, rewritten and removed by a dynamic provider that also keeps a
 * log of what it was asked, so that a test sees what happened and what is really there.
 */
export const THINGS = `${PRELUDE}
const provider: pulumi.dynamic.ResourceProvider = {
  async check(olds: any, news: any) {
    const failures = ["first", "second"].filter((key) => news[key] === "bad").map((property) => ({ property, reason: "must not be bad" }));
    return { inputs: news, failures };
  },
  async diff(id: string, olds: any, news: any) {
    return { changes: olds.value !== news.value || olds.kind !== news.kind, replaces: olds.kind !== news.kind ? ["kind"] : [], deleteBeforeReplace: !!news.deleteFirst };
  },
  async create(inputs: any) {
    const fs = require("node:fs");
    fs.appendFileSync("log", "create " + inputs.name + "\\n");
    if (inputs.fails === "create") throw new Error(inputs.name + " refused");
    const id = inputs.name + (inputs.kind ? "-" + inputs.kind : "");
    fs.writeFileSync("world/" + id, String(inputs.value));
    if (inputs.fails === "half") throw Object.assign(new Error("half done"), { id, properties: inputs, reasons: ["not ready"] });
    return { id, outs: { ...inputs, length: String(inputs.value).length } };
  },
  async update(id: string, olds: any, news: any) {
    const fs = require("node:fs");
    fs.appendFileSync("log", "update " + news.name + "\\n");
    if (news.fails === "update") throw new Error(news.name + " refused");
    fs.writeFileSync("world/" + id, String(news.value));
    return { outs: { ...news, length: String(news.value).length } };
  },
  async delete(id: string, props: any) {
    const fs = require("node:fs");
    fs.appendFileSync("log", "delete " + id + "\\n");
    if (props.fails === "delete") throw new Error(id + " refused");
    fs.rmSync("world/" + id, { force: true });
  },
  async read(id: string, props: any) {
    const fs = require("node:fs");
    if (!fs.existsSync("world/" + id)) return { id: "", props: {} };
    return { id, props: { ...props, value: fs.readFileSync("world/" + id, "utf8") } };
  },
};
class Thing extends pulumi.dynamic.Resource {
  declare public readonly length: pulumi.Output<number>;
  declare public readonly value: pulumi.Output<string>;
  constructor(name: string, args: object, opts?: pulumi.CustomResourceOptions) {
    super(provider, name, { length: undefined, name, ...args }, opts);
  }
}
`;

/** The error a run has to end with. */
export const failureOf = (work: Promise<unknown>): Promise<EngineError> =>
  work.then(
    () => {
      throw new Error("it was expected to fail");
    },
    (error: unknown) => {
      if (error instanceof EngineError) return error;
      throw error;
    },
  );
