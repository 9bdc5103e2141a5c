import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "@bluegreen/release/settings/settings";
import { Fence, FenceEnd } from "./steps";

/** The moment without writes around a switch. Nothing at all unless config asks for one. */
export class ReadOnlyFence {
  private readonly fence: Fence | undefined;
  private readonly redisUrl: pulumi.Output<string>;

  constructor(
    private readonly app: string,
    { settings, after }: { settings: Settings; after: pulumi.Resource[] },
    private readonly options: pulumi.CustomResourceOptions,
  ) {
    const { namespace, context, activeColor: color, readOnlyFence } = settings;
    const { seconds, settleMs, redisUrl } = readOnlyFence;
    this.redisUrl = pulumi.secret(redisUrl === "" ? settings.redisUrl : redisUrl);
    if (seconds === 0) return;
    this.fence = new Fence(`${app}-fence`, { context, namespace, app, color, redisUrl: this.redisUrl, seconds, settleMs }, { ...options, dependsOn: after });
  }

  /** What traffic has to wait for. */
  get raised(): pulumi.Resource[] {
    return this.fence === undefined ? [] : [this.fence];
  }

  /** Ends it when these are there. */
  endAfter(after: pulumi.Resource[]): void {
    if (this.fence === undefined) return;
    new FenceEnd(`${this.app}-fence-end`, { app: this.app, redisUrl: this.redisUrl, token: this.fence.token }, { ...this.options, dependsOn: after });
  }
}
