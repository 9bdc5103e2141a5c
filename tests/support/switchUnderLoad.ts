import { expect } from "chai";
import type { Color } from "@bluegreen/release";
import { liveColor } from "./read";
import type { TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";
import { startWriters } from "./writers";

/** What a switch was like. */
export interface Switched {
  /** Of the writes that were acknowledged. */
  ids: string[];
  /** How the others ended. */
  refused: string[];
  /** How reads failed. */
  failures: string[];
  /** What the update said. */
  said: string;
}

/**
 * Switches while users read and write, before, during and after it. @param name of the writers: their ids
 * begin with it
 */
export async function switchUnderLoad(test: TestStack, color: Color, name: string): Promise<Switched> {
  const users = await startUsers(test.cluster);
  const writers = await startWriters(test.cluster, name);
  await writers.more(20);
  await test.set({ activeColor: color });
  const said: string[] = [];
  await test.stack.up({ onOutput: (line) => said.push(line) });
  expect(await liveColor(test.cluster)).to.equal(color);
  await writers.more(20);
  const { ids, refused } = await writers.stop();
  const { failures, requests } = await users.stop();
  console.log(
    `      ${ids.length} writes acknowledged, ${refused.length} refused (${[...new Set(refused)].join(", ")}); ${requests} reads, ${failures.length} failed (${[...new Set(failures)].join(", ")})`,
  );
  return { ids, refused, failures, said: said.join("\n") };
}
