import { otherColor, type Color } from "@bluegreen/release";
import { readDeployment, templateOf } from "@bluegreen/release/kubernetes/deployment";
import { repositoryDir } from "../../local/paths";
import { countRequests, type CountedApi, type RequestCounts } from "../../local/testing/countedApi";
import { makeStack, type TestStack, type Whereabouts } from "../../local/testing/testStack";
import { measureCommand, type Cost } from "./measure";
import { measureAnalysis, type AnalysisCost } from "./analysis";

export const app = "chatgpt-app";

export interface CountedCost extends Cost {
  requests: RequestCounts;
}

/** What is measured of one app, in the order in which a release has it. */
export interface AppCost {
  preview: CountedCost;
  /** Without the analysis, whose cost stands apart. */
  switch: CountedCost;
  analysis: AnalysisCost;
  rollback: CountedCost;
}

/** One app as a stack of its own, both colors on simulated nodes, reached through a counter. */
export class Subject {
  private constructor(
    readonly test: TestStack,
    private readonly api: CountedApi,
    private readonly workDir: string,
  ) {}

  /** @param whereabouts without a kubeconfig: that is the counter's */
  static async make(kubeconfig: string, whereabouts: Whereabouts): Promise<Subject> {
    const api = await countRequests(kubeconfig);
    try {
      const test = await makeStack([], { ...whereabouts, kubeconfig: api.kubeconfig });
      await test.set({
        activeColor: first,
        blueTag: "v1",
        greenTag: "v2",
        minReadySeconds: 0,
        progressDeadlineSeconds: 1800,
        // Simulated pods have nothing that the app's own suite could test.
        smokeTests: `${whereabouts.workDir === undefined ? "bench/gate" : "gate"}/*.ts`,
        // What asks each pod is counted apart: the analysis here, and nobody uses these pods whom a drain would
        // wait for.
        analysis: { durationSeconds: 0 },
        connectionDrain: { timeoutSeconds: 0 },
      });
      return new Subject(test, api, whereabouts.workDir ?? repositoryDir);
    } catch (error) {
      await api.close();
      throw error;
    }
  }

  /** Brings both colors to a size, first of all to life. */
  async resize(replicas: number): Promise<void> {
    await this.test.set({ replicas });
    await this.test.stack.up();
  }

  /** There and back again, so that the next measurement begins where this one did. */
  async measure(): Promise<AppCost> {
    const { cluster, stage } = this.test;
    await this.test.set({ activeColor: second });
    const preview = await this.preview();
    const moved = await this.update();
    const template = templateOf(await readDeployment(cluster, app, second));
    if (template === undefined) throw new Error(`${second} is not there`);
    const analysis = await measureAnalysis(
      this.api,
      { context: stage.context, namespace: cluster.namespace, namespacePerColor: false },
      { app, color: second, template },
    );
    await this.test.set({ activeColor: first });
    return { preview, switch: moved, analysis, rollback: await this.update() };
  }

  preview(env: Record<string, string> = {}): Promise<CountedCost> {
    return this.run(["preview"], env);
  }

  async remove(): Promise<void> {
    await this.test.remove();
    await this.api.close();
  }

  private update(): Promise<CountedCost> {
    return this.run(["up", "--yes", "--skip-preview"]);
  }

  private async run(args: string[], env: Record<string, string> = {}): Promise<CountedCost> {
    this.api.take();
    const cost = await measureCommand(["pulumi", ...args, "--stack", this.test.name], {
      cwd: this.workDir,
      env: { ...this.test.env, ...env },
    });
    return { ...cost, requests: this.api.take() };
  }
}

const first: Color = "blue";
const second = otherColor(first);
