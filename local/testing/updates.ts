import { readdir } from "node:fs/promises";

let made = 0;

/** Updates of Pulumi that the tests of this process have made, in stacks of `makeStack`. */
export function updatesMade(): number {
  return made;
}

/** @param backend folder of a stack's state that is about to go: its history has a file for each update */
export async function countUpdates(backend: string): Promise<void> {
  made += (await readdir(backend, { recursive: true })).filter((file) =>
    file.endsWith(".history.json"),
  ).length;
}
