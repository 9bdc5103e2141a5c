import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { shellWord } from "@bluegreen/release/util/bluegreenCommand";

describe("A word of a suggested command", () => {
  it("is to a shell what it was, whatever a database or a cluster calls its things", () => {
    const names = [
      "public.users",
      'public."Größe"',
      "$(touch /tmp/x)",
      "`id`",
      "a b",
      "it's",
      "'; rm -rf ~; '",
      '"',
      "\\",
      "a\nb",
      "*",
      "~",
      "",
      "$HOME",
      "!!",
      "a&b|c>d",
    ];
    const words = execFileSync(
      "sh",
      ["-c", `for word in ${names.map(shellWord).join(" ")}; do printf '%s\\0' "$word"; done`],
      { encoding: "utf8" },
    );
    expect(words.split("\0").slice(0, -1)).to.deep.equal(names);
  });

  it("is left as people write it, where that does no harm", () => {
    for (const name of ["shop/web-1", "v1.3.0@sha256:0", "app=shop,version=blue", "ghcr.io/a/b:v1"])
      expect(shellWord(name)).to.equal(name);
  });
});
