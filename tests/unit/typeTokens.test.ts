import { globSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { recordApp } from "./recorder";

const components = new Map(
  globSync("components/**/*.ts", { exclude: ["**/dist/**"] }).flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const [, name] = /class (\w+) extends pulumi\.ComponentResource/.exec(text) ?? [];
    return name === undefined ? [] : [[name, /super\(\s*"([^"]+)"/.exec(text)?.[1]] as const];
  }),
);

describe("Type tokens", () => {
  it("are bluegreen:index: and the name of the class, for every component", async () => {
    expect([...components.keys()]).to.include.members(["BlueGreenApp", "AppInCluster", "AppColor"]);
    for (const [name, token] of components) expect(token, name).to.equal(`bluegreen:index:${name}`);
    const { recorded } = await recordApp();
    const registered = recorded.filter(({ type }) => type.startsWith("bluegreen:")).map(({ type }) => type);
    expect(registered).not.to.be.empty;
    expect([...components.values()]).to.include.members(registered);
  });
});
