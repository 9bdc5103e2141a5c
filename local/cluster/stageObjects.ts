import { Cluster } from "../engine/kubernetes/cluster";
import { digList, digText, referenceOf, type JsonObject } from "../engine/kubernetes/objects";
import { waitFor } from "../system/wait";
import { contextName, type Layout } from "./layout";

const conditionTimeoutMs = 60_000;

/** Objects that the stage itself puts into its cluster. */
export class StageObjects {
  private constructor(private readonly cluster: Cluster) {}

  static async of({ kubeconfig }: Layout): Promise<StageObjects> {
    return new StageObjects(await Cluster.connect({ kubeconfig, context: contextName, env: {} }));
  }

  /** Creates each, or makes it what is given here; in any order. */
  async apply(objects: JsonObject[]): Promise<void> {
    await Promise.all(objects.map(async (object) => this.cluster.apply(referenceOf(object), object, { manager: "bluegreen-stage", force: true, dryRun: false })));
  }

  /** Waits until each has the condition. */
  async untilCondition(objects: JsonObject[], type: string): Promise<void> {
    await Promise.all(
      objects.map(async (object) => {
        const reference = referenceOf(object);
        await waitFor(
          async () => {
            const conditions = digList(await this.cluster.read(reference), "status", "conditions");
            return conditions.some((condition) => digText(condition, "type") === type && digText(condition, "status") === "True") ? true : undefined;
          },
          conditionTimeoutMs,
          () => Promise.resolve(new Error(`${reference.kind} ${reference.name} does not become ${type}.`)),
        );
      }),
    );
  }
}
