import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "@bluegreen/release/settings/settings";
import { stackName } from "./stackName";
import { Fence, FenceEnd } from "./steps";

/**
 * The moment without writes around a switch. Nothing at all unless config asks for one. Each part
 * takes what has to be done before it, and returns what has to be waited for.
 */
export class ReadOnlyFence {
  private readonly redisUrl: pulumi.Output<string>;
  private fence: Fence | undefined;

  constructor(
    private readonly app: string,
    private readonly settings: Settings,
    private readonly options: pulumi.CustomResourceOptions,
  ) {
    const { readOnlyFence, redisUrl } = settings;
    this.redisUrl = pulumi.secret(readOnlyFence.redisUrl === "" ? redisUrl : readOnlyFence.redisUrl);
  }

  /** Before traffic moves. */
  raise(after: pulumi.Resource[]): pulumi.Resource[] {
    const { app, redisUrl } = this;
    const { namespace, isolation, context, activeColor: color, readOnlyFence } = this.settings;
    const { seconds, settleMs } = readOnlyFence;
    if (seconds === 0) return after;
    this.fence = new Fence(`${app}-fence`, { context, namespace, isolation, app, stack: stackName(), color, redisUrl, seconds, settleMs }, { ...this.options, dependsOn: after });
    return [...after, this.fence];
  }

  /** Once it has. */
  lower(after: pulumi.Resource[]): pulumi.Resource[] {
    if (this.fence === undefined) return after;
    const end = new FenceEnd(`${this.app}-fence-end`, { app: this.app, stack: stackName(), redisUrl: this.redisUrl, token: this.fence.token }, { ...this.options, dependsOn: after });
    return [...after, end];
  }
}
