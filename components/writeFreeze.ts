import * as pulumi from "@pulumi/pulumi";
import { makeStep, type ReleaseStep } from "./dynamicStep";
import type { AppSettings } from "./lateArgs";
import { stackName } from "./stackName";

/**
 * The moment without writes around a switch. Nothing at all unless config asks for one. Each part
 * takes what has to be done before it, and returns what has to be waited for.
 */
export class FreezeAroundSwitch {
  private readonly redisUrl: pulumi.Output<string>;
  private freeze: ReleaseStep<"writeFreeze"> | undefined;

  constructor(
    private readonly app: string,
    private readonly settings: AppSettings,
    private readonly options: pulumi.CustomResourceOptions,
  ) {
    this.redisUrl = pulumi.secret(settings.writeFreeze.redisUrl);
  }

  /** Before traffic moves. */
  raise(after: pulumi.Resource[]): pulumi.Resource[] {
    const { app, redisUrl } = this;
    const { namespace, namespacePerColor, context, activeColor: color, writeFreeze } = this.settings;
    const { maxSeconds: seconds, gracePeriodMs } = writeFreeze;
    if (seconds === 0) return after;
    this.freeze = makeStep(
      "writeFreeze",
      app,
      {
        context,
        namespace,
        namespacePerColor,
        app,
        stack: stackName(),
        color,
        redisUrl,
        seconds,
        gracePeriodMs,
      },
      { ...this.options, dependsOn: after },
    );
    return [...after, this.freeze];
  }

  /** Once it has. */
  lower(after: pulumi.Resource[]): pulumi.Resource[] {
    if (this.freeze === undefined) return after;
    const end = makeStep(
      "writeFreezeEnd",
      this.app,
      { app: this.app, stack: stackName(), redisUrl: this.redisUrl, token: this.freeze.token },
      { ...this.options, dependsOn: after },
    );
    return [...after, end];
  }
}
