import { expect } from "chai";
import { longestFirst, runAll, type Course } from "../runner/schedule";
import type { Batch, Suite } from "../runner/suites";

const serial: Suite = { name: "serial", stage: "cluster", serial: true };
const free: Suite = { name: "free", stage: "cluster" };
const plain: Suite = { name: "plain" };
const alone: Suite = { name: "alone", alone: true };
const waits: Suite = { name: "waits", stage: "cluster", waits: true };
const batch = (suite: Suite, file: string): Batch => ({ suite, files: [file] });
const took = (seconds: number) => ({ seconds, cpuSeconds: 0, updates: 0 });

describe("The order in which test files run", () => {
  it("begins with what takes longest, and takes a serial suite for one as long as all of its files", () => {
    const times = {
      long: took(900),
      short: took(500),
      first: took(400),
      second: took(350),
      third: took(300),
    };
    const order = longestFirst(
      [
        batch(free, "short"),
        batch(serial, "third"),
        batch(free, "long"),
        batch(serial, "first"),
        batch(serial, "second"),
      ],
      times,
    );
    expect(order.flatMap(({ files }) => files)).to.deep.equal(["first", "second", "third", "long", "short"]);
  });
});

/** Runs batches, each until it is ended by its name; `running` says which are at work. */
function course(batches: readonly Batch[], options: Partial<Course> = {}) {
  const ends = new Map<string, () => void>();
  const begun: string[] = [];
  const done = runAll(
    batches,
    { places: 2, signal: new AbortController().signal, stage: Promise.resolve(), ...options },
    ({ files: [file = ""] }) => {
      begun.push(file);
      return new Promise((end) => ends.set(file, end));
    },
  );
  const running = async () => {
    await new Promise(setImmediate);
    return [...ends.keys()].sort();
  };
  const end = async (file: string) => {
    ends.get(file)?.();
    ends.delete(file);
    return running();
  };
  return { done, begun, running, end };
}

describe("How many test files run at a time", () => {
  it("is one for each place, and one of a serial suite", async () => {
    const { done, running, end } = course([
      batch(serial, "a"),
      batch(serial, "b"),
      batch(free, "c"),
      batch(free, "d"),
    ]);
    expect(await running()).to.deep.equal(["a", "c"]);
    expect(await end("c")).to.deep.equal(["a", "d"]);
    expect(await end("a")).to.deep.equal(["b", "d"]);
    await end("b");
    await end("d");
    await done;
  });

  it("is one more, of those that wait more than they work", async () => {
    const { done, running, end } = course([
      batch(waits, "a"),
      batch(waits, "b"),
      batch(free, "c"),
      batch(free, "d"),
      batch(free, "e"),
    ]);
    expect(await running()).to.deep.equal(["a", "c", "d"]);
    expect(await end("a")).to.deep.equal(["b", "c", "d"]);
    for (const file of ["b", "c", "d", "e"]) await end(file);
    await done;
  });

  it("is one at the end, of what measures", async () => {
    const { done, begun, running, end } = course([batch(alone, "a"), batch(free, "b"), batch(free, "c")]);
    expect(await running()).to.deep.equal(["b", "c"]);
    expect(await end("b")).to.deep.equal(["c"]);
    expect(await end("c")).to.deep.equal(["a"]);
    await end("a");
    await done;
    expect(begun).to.deep.equal(["b", "c", "a"]);
  });

  it("leaves out what needs a stage until it is there", async () => {
    let up = () => {};
    const stage = new Promise<void>((resolve) => (up = resolve));
    const { done, running, end } = course([batch(free, "a"), batch(plain, "b")], { stage });
    expect(await running()).to.deep.equal(["b"]);
    up();
    expect(await running()).to.deep.equal(["a", "b"]);
    await end("a");
    await end("b");
    await done;
  });

  it("is none of those that need a stage which does not come up; the others run before that is said", async () => {
    const { done, begun, running, end } = course([batch(free, "a"), batch(plain, "b"), batch(plain, "c")], {
      stage: Promise.reject(new Error("no containerd")),
      places: 1,
    });
    expect(await running()).to.deep.equal(["b"]);
    expect(await end("b")).to.deep.equal(["c"]);
    const failure = done.catch((error: unknown) => String(error));
    await end("c");
    expect(await failure).to.equal("Error: no containerd");
    expect(begun).to.deep.equal(["b", "c"]);
  });

  it("is none once it was interrupted", async () => {
    const controller = new AbortController();
    const { done, begun, end } = course([batch(free, "a"), batch(free, "b"), batch(free, "c")], {
      signal: controller.signal,
    });
    await end("");
    controller.abort();
    await end("a");
    await end("b");
    await done;
    expect(begun).to.deep.equal(["a", "b"]);
  });
});
