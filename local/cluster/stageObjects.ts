import { waitFor } from "../system/wait";
import { contextName, type Layout } from "./layout";
import { digList, digText, rawObjects, type JsonObject, type RawObjects } from "./rawObjects";

const conditionTimeoutMs = 60_000;

/** Objects that the stage itself puts into its cluster. */
export class StageObjects {
  readonly #objects: RawObjects;

  constructor({ kubeconfig }: Layout) {
    this.#objects = rawObjects(kubeconfig, contextName);
  }

  /** Creates each, or makes it what is given here; in any order. */
  async apply(objects: JsonObject[]): Promise<void> {
    await Promise.all(objects.map(async (object) => this.#objects.apply(object, "bluegreen-stage")));
  }

  /** Waits until each has the condition. */
  async untilCondition(objects: JsonObject[], type: string): Promise<void> {
    await Promise.all(
      objects.map(async (object) => {
        await waitFor(
          async () => {
            const conditions = digList(await this.#objects.read(object), "status", "conditions");
            return conditions.some(
              (condition) => digText(condition, "type") === type && digText(condition, "status") === "True",
            )
              ? true
              : undefined;
          },
          conditionTimeoutMs,
          () =>
            Promise.resolve(
              new Error(
                `${digText(object, "kind") ?? "object"} ${digText(object, "metadata", "name") ?? ""} does not become ${type}.`,
              ),
            ),
        );
      }),
    );
  }
}
