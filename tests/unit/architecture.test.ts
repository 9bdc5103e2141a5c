import { readFileSync } from "node:fs";
import { expect } from "chai";
import { architectureFile, architectureText } from "../../docs/layersText";

describe("The page of the architecture", () => {
  it("draws the rules of imports as they are", async () => {
    expect(readFileSync(architectureFile, "utf8"), "run: npm run docs").to.equal(await architectureText());
  });

  it("says of each layer what is in it", async () => {
    const text = await architectureText();
    const layers = [...text.matchAll(/layer\d+\["([^"]+)"\]/g)].flatMap(([, row = ""]) => row.split(", "));
    const described = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(described).to.have.members(layers);
  });
});
