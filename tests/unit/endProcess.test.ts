import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect } from "chai";

/** More than any pipe holds, and something that would keep it alive. */
const child = `
  const { endProcess } = require("@bluegreen/release/util/process");
  setInterval(() => undefined, 1000);
  process.stdout.write("x".repeat(4_000_000));
  process.stderr.write("y".repeat(4_000_000));
  endProcess(3);`;

describe("A process that ends by itself", () => {
  it("loses nothing of what it has printed, however slow its reader is", async () => {
    const writer = spawn(process.execPath, ["-e", child], { stdio: ["ignore", "pipe", "pipe"] });
    const closed = once(writer, "close");
    // Nobody reads yet, and it has printed.
    await once(writer.stdout, "readable");
    const [out, errors] = await Promise.all([text(writer.stdout), text(writer.stderr)]);
    expect([out.length, errors.length]).to.deep.equal([4_000_000, 4_000_000]);
    expect(await closed).to.deep.equal([3, null]);
  });
});
