import { expect } from "chai";
import { readLogErrors } from "@bluegreen/release/analysis/logLines";

/** With the kubelet's times, a second apart. */
const log = (...lines: string[]) =>
  lines
    .map((line, index) => `2026-03-01T10:00:${String(index).padStart(2, "0")}.000000001Z ${line}\n`)
    .join("");
const errorsIn = (...lines: string[]) => readLogErrors(log(...lines)).errors;

describe("A line of a log", () => {
  it("is an error when its own level says so, in JSON and in logfmt", () => {
    for (const line of [
      '{"time":"…","level":"error","message":"query failed"}',
      '{"level":"FATAL","msg":"no"}',
      '{"severity":"CRITICAL"}',
      '{"log.level":"panic"}',
      '{"level":50,"msg":"pino"}',
      '{"level":60}',
      'time=now level=error msg="no"',
      'level="fatal" msg=x',
    ]) {
      expect(errorsIn(line), line).to.equal(1);
    }
  });

  it("is none when its own level says so, whatever words are in it", () => {
    for (const line of [
      '{"level":"info","message":"recovered from ERROR after an Exception"}',
      '{"level":"warn","message":"FATAL"}',
      '{"level":30,"msg":"ERROR"}',
      'level=info msg="ERROR FATAL Exception"',
    ]) {
      expect(errorsIn(line), line).to.equal(0);
    }
  });

  it("is evaluated by its words only where it has no level: certain ones, and not every mention of an error", () => {
    for (const line of [
      "ERROR: out of cheese",
      "[FATAL] gone",
      "java.lang.IllegalStateException: no",
      '{"message":"TypeException"}',
      '{"level":null,"x":"ERROR"}',
      '{"level":"info","message":"ERROR',
    ]) {
      expect(errorsIn(line), line).to.equal(1);
    }
    for (const line of ["0 errors", "error budget: fine", "GET /errors 200", '{"message":"no error"}', ""])
      expect(errorsIn(line), line).to.equal(0);
  });
});

describe("A pod's log", () => {
  it("counts a line once, however often it is read", () => {
    const text = log("ERROR one", "fine", "ERROR two");
    const first = readLogErrors(text);
    expect(first).to.deep.include({ errors: 2, samples: ["ERROR one", "ERROR two"] });
    expect(readLogErrors(text, { after: first.last }).errors).to.equal(0);
    const again = readLogErrors(log("ERROR one", "fine", "ERROR two", "ERROR three"), { after: first.last });
    expect(again).to.deep.include({ errors: 1, samples: ["ERROR three"] });
  });

  it("tells lines apart that are a nanosecond apart", () => {
    const { last } = readLogErrors("2026-03-01T10:00:00.000000001Z ERROR one\n");
    const text = "2026-03-01T10:00:00.000000001Z ERROR one\n2026-03-01T10:00:00.000000002Z ERROR two\n";
    expect(readLogErrors(text, { after: last }).samples).to.deep.equal(["ERROR two"]);
  });

  it("compares times of nodes with a zone of their own, and with fewer decimals", () => {
    const { last } = readLogErrors("2026-03-01T10:00:00.5Z ERROR one\n");
    expect(
      readLogErrors("2026-03-01T12:00:00.5+02:00 ERROR one\n2026-03-01T12:00:00.6+02:00 ERROR two\n", {
        after: last,
      }).samples,
    ).to.deep.equal(["ERROR two"]);
  });

  it("says where it ends even when nothing in it is an error, and keeps the place when it is empty", () => {
    const { last } = readLogErrors(log("fine"));
    expect(last).to.be.a("string");
    expect(readLogErrors("", { after: last })).to.deep.equal({ errors: 0, samples: [], last });
    expect(readLogErrors("")).to.deep.equal({ errors: 0, samples: [] });
  });

  it("does not evaluate what the kubelet adds without a time", () => {
    expect(
      readLogErrors("failed to try resolving symlinks: ERROR\nunable to retrieve container logs: ERROR"),
    ).to.deep.equal({ errors: 0, samples: [] });
  });

  it("does not evaluate the line it is cut in, and does evaluate a last one without an end", () => {
    const text =
      log('{"level":"info","message":"fine"}') +
      '2026-03-01T10:00:30.0Z {"level":"info","message":"an ERROR that was mend';
    expect(readLogErrors(text, { isCut: true }).errors).to.equal(0);
    expect(readLogErrors(text).errors).to.equal(1);
  });

  it("survives binary, a line of 10 MB, deep nesting and a million empty lines", () => {
    const binary = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 37) % 256)).toString(
      "utf8",
    );
    const deep = '{"a":'.repeat(100_000);
    const text = `${binary}\n${"\n".repeat(1_000_000)}${log(binary.replaceAll("\n", ""), deep, `ERROR ${"x".repeat(10 * 1024 * 1024)}`, "ERROR after it")}`;
    expect(readLogErrors(text).errors).to.equal(2);
  });

  it("gives three samples at the most: the message, short, and without what a terminal would obey", () => {
    const { errors, samples } = readLogErrors(
      log(
        '{"level":"error","message":"first"}',
        "ERROR \u001b[31mred\u001b[2J\u202E",
        `ERROR ${"y".repeat(5000)}`,
        "ERROR fourth",
      ),
    );
    expect(errors).to.equal(4);
    expect(samples).to.have.length(3);
    expect(samples.slice(0, 2)).to.deep.equal(["first", "ERROR red"]);
    expect(samples[2]).to.have.length(200);
  });
});
