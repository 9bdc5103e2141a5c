import * as pulumi from "@pulumi/pulumi";
import type {
  CapacityInputs,
  ColorSizeInputs,
  ColorSizeOutputs,
  ContractInputs,
  ContractOutputs,
  DatabaseAccountInputs,
  DatabaseHandoverInputs,
  DatabaseSettleInputs,
  DatabaseSyncInputs,
  DrainInputs,
  DrainOutputs,
  FenceEndInputs,
  FenceEndOutputs,
  FenceInputs,
  FenceOutputs,
  LiveLockInputs,
  LiveLockOutputs,
  MigrationsInputs,
  MigrationsOutputs,
  ReleaseUnlockInputs,
  ReleaseUnlockOutputs,
  RolloutInputs,
  RolloutOutputs,
  SchemaGateInputs,
  SchemaGateOutputs,
  SizeSettleInputs,
  SizeSettleOutputs,
  SmokeInputs,
  SmokeOutputs,
  SwitchGateInputs,
  SwitchGateOutputs,
  SwitchRecordInputs,
  SwitchTurnInputs,
  SwitchTurnOutputs,
  TrialInputs,
  TrialOutputs,
  WatchInputs,
  WatchOutputs,
} from "@bluegreen/release";
import type { Color } from "@bluegreen/release/color";
import { Refusal } from "@bluegreen/release/refusal";
import { formatWeights, sameWeights } from "@bluegreen/release/route/weights";
import type { Settings } from "@bluegreen/release/settings/settings";
import { DynamicStep, type StepArgs } from "./dynamicStep";

/** Outputs must be named among the inputs for Pulumi to create them. */
type Pending<Outputs> = { [K in keyof Outputs]: undefined };

/** Refuses, in preview, whatever would change the color that serves users, and begins the release: one at a time. */
export class LiveLock extends DynamicStep {
  declare readonly activeColor: pulumi.Output<LiveLockOutputs["activeColor"]>;
  declare readonly weights: pulumi.Output<LiveLockOutputs["weights"]>;
  declare readonly release: pulumi.Output<LiveLockOutputs["release"]>;

  constructor(name: string, args: StepArgs<LiveLockInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Omit<Pending<LiveLockOutputs>, keyof LiveLockInputs> = { release: undefined };
    super("liveLock", name, { ...args, ...pending }, options);
  }

  /**
   * The active color, once the lock has been asked about it and about the weights. Left out by --target it
   * still has the last update's, and then the order of the release, which follows both, would be another one
   * than that of the resources left out: Pulumi writes a state with both, which it refuses to read from then on.
   */
  confirm({ activeColor, weights }: Pick<Settings, "activeColor" | "weights">): pulumi.Output<Color> {
    return pulumi.all([this.activeColor, this.weights]).apply(([locked, shares]) => {
      if (locked === activeColor && sameWeights(shares, weights)) return activeColor;
      const refusal = new Refusal({
        what: `This update leaves out the lock on the live color, and ${locked === activeColor ? `weights change from ${formatWeights(shares)} to ${formatWeights(weights)}` : `activeColor changes from ${locked} to ${activeColor}`}`,
        rule: "a switch has gates, and --target or --exclude would go around them",
        next: "pulumi up, without --target or --exclude",
      });
      throw new pulumi.RunError(refusal.message);
    });
  }
}

/** Ends the release that the lock has begun. */
export class ReleaseUnlock extends DynamicStep {
  declare readonly ended: pulumi.Output<ReleaseUnlockOutputs["ended"]>;

  constructor(name: string, args: StepArgs<ReleaseUnlockInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<ReleaseUnlockOutputs> = { ended: undefined };
    super("releaseUnlock", name, { ...args, ...pending }, options);
  }
}

/** Applies the expand migrations and backfills that the database does not have yet. */
export class Migrations extends DynamicStep {
  declare readonly schemaVersion: pulumi.Output<MigrationsOutputs["schemaVersion"]>;
  declare readonly applied: pulumi.Output<MigrationsOutputs["applied"]>;
  declare readonly waiting: pulumi.Output<MigrationsOutputs["waiting"]>;

  constructor(name: string, args: StepArgs<MigrationsInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<MigrationsOutputs> = { schemaVersion: undefined, applied: undefined, waiting: undefined };
    super("migrations", name, { ...args, ...pending }, options);
  }
}

/** Refuses a release that the namespace has no room for. */
export class CapacityGate extends DynamicStep {
  constructor(name: string, args: StepArgs<CapacityInputs>, options?: pulumi.CustomResourceOptions) {
    super("capacityGate", name, args, options);
  }
}

/** Gives a color its pods where an autoscaler scales it. */
export class ColorSize extends DynamicStep {
  declare readonly asked: pulumi.Output<ColorSizeOutputs["asked"]>;

  constructor(name: string, args: StepArgs<ColorSizeInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<ColorSizeOutputs> = { asked: undefined };
    super("colorSize", name, { ...args, ...pending }, options);
  }
}

/** Lets the live color's size follow its load, and keeps the standby's. */
export class SizeSettle extends DynamicStep {
  declare readonly held: pulumi.Output<SizeSettleOutputs["held"]>;

  constructor(name: string, args: StepArgs<SizeSettleInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<SizeSettleOutputs> = { held: undefined };
    super("sizeSettle", name, { ...args, ...pending }, options);
  }
}

/** Waits until a color really runs the wanted template on every replica. */
export class Rollout extends DynamicStep {
  declare readonly readyReplicas: pulumi.Output<RolloutOutputs["readyReplicas"]>;

  constructor(name: string, args: StepArgs<RolloutInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<RolloutOutputs> = { readyReplicas: undefined };
    super("rollout", name, { ...args, ...pending }, options);
  }
}

/** Refuses a color whose version cannot work on the schema. */
export class SchemaGate extends DynamicStep {
  declare readonly needs: pulumi.Output<SchemaGateOutputs["needs"]>;
  declare readonly knows: pulumi.Output<SchemaGateOutputs["knows"]>;

  constructor(name: string, args: StepArgs<SchemaGateInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<SchemaGateOutputs> = { needs: undefined, knows: undefined };
    super("schemaGate", name, { ...args, ...pending }, options);
  }
}

/** Refuses what was rolled back, and makes sure that somebody watches before users move. */
export class SwitchGate extends DynamicStep {
  declare readonly switchId: pulumi.Output<SwitchGateOutputs["switchId"]>;

  constructor(name: string, args: StepArgs<SwitchGateInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<SwitchGateOutputs> = { switchId: undefined };
    super("switchGate", name, { ...args, ...pending }, options);
  }
}

/** Looks once more when other clusters were moved before, and begins the switch in this one. */
export class SwitchTurn extends DynamicStep {
  declare readonly begun: pulumi.Output<SwitchTurnOutputs["begun"]>;

  constructor(name: string, args: StepArgs<SwitchTurnInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<SwitchTurnOutputs> = { begun: undefined };
    super("switchTurn", name, { ...args, ...pending }, options);
  }
}

/** Watches the color that users were moved to, and takes them back when it does harm. */
export class Watch extends DynamicStep {
  declare readonly verdict: pulumi.Output<WatchOutputs["verdict"]>;

  constructor(name: string, args: StepArgs<WatchInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<WatchOutputs> = { verdict: undefined };
    super("watch", name, { ...args, ...pending }, options);
  }
}

/** Leads clients away from the color that users were moved from, and waits for them. */
export class Drain extends DynamicStep {
  declare readonly connectionsLeft: pulumi.Output<DrainOutputs["connectionsLeft"]>;

  constructor(name: string, args: StepArgs<DrainInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<DrainOutputs> = { drainedSeconds: undefined, connectionsLeft: undefined };
    super("drain", name, { ...args, ...pending }, options);
  }
}

/** Notes in the database when users were switched to what. */
export class SwitchRecord extends DynamicStep {
  constructor(name: string, args: StepArgs<SwitchRecordInputs>, options?: pulumi.CustomResourceOptions) {
    super("switchRecord", name, args, options);
  }
}

/** Takes away what no version uses any more, when its time has come. */
export class Contract extends DynamicStep {
  declare readonly applied: pulumi.Output<ContractOutputs["applied"]>;

  constructor(name: string, args: StepArgs<ContractInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<ContractOutputs> = { applied: undefined };
    super("contract", name, { ...args, ...pending }, options);
  }
}

/** Runs the smoke suite against a color that has no users yet. */
export class SmokeGate extends DynamicStep {
  declare readonly passedTests: pulumi.Output<SmokeOutputs["passedTests"]>;

  constructor(name: string, args: StepArgs<SmokeInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<SmokeOutputs> = { passedTests: undefined };
    super("smokeGate", name, { ...args, ...pending }, options);
  }
}

/** Tries out a change of the live color in a pod that no user reaches. */
export class Trial extends DynamicStep {
  declare readonly passedTests: pulumi.Output<TrialOutputs["passedTests"]>;

  constructor(name: string, args: StepArgs<TrialInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<TrialOutputs> = { passedTests: undefined };
    super("trial", name, { ...args, ...pending }, options);
  }
}

/** Keeps the idle color's own database in sync with the live one. */
export class DatabaseSync extends DynamicStep {
  constructor(name: string, args: StepArgs<DatabaseSyncInputs>, options?: pulumi.CustomResourceOptions) {
    super("databaseSync", name, args, options);
  }
}

/** Hands the writing over to the other color's database, and holds writers until traffic has moved. */
export class DatabaseHandover extends DynamicStep {
  constructor(name: string, args: StepArgs<DatabaseHandoverInputs>, options?: pulumi.CustomResourceOptions) {
    super("databaseHandover", name, args, options);
  }
}

/** Makes the databases follow the color that serves users. */
export class DatabaseSettle extends DynamicStep {
  constructor(name: string, args: StepArgs<DatabaseSettleInputs>, options?: pulumi.CustomResourceOptions) {
    super("databaseSettle", name, args, options);
  }
}

/** Asks the app for no writes before traffic moves. */
export class Fence extends DynamicStep {
  declare readonly token: pulumi.Output<FenceOutputs["token"]>;

  constructor(name: string, args: StepArgs<FenceInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<FenceOutputs> = { token: undefined };
    super("fence", name, { ...args, ...pending }, pulumi.mergeOptions(options, hiddenRedis));
  }
}

/** Lets it write again. */
export class FenceEnd extends DynamicStep {
  declare readonly lowered: pulumi.Output<FenceEndOutputs["lowered"]>;

  constructor(name: string, args: StepArgs<FenceEndInputs>, options?: pulumi.CustomResourceOptions) {
    const pending: Pending<FenceEndOutputs> = { lowered: undefined };
    super("fenceEnd", name, { ...args, ...pending }, pulumi.mergeOptions(options, hiddenRedis));
  }
}

/** What a provider hands back has to be marked again. */
const hiddenRedis: pulumi.CustomResourceOptions = { additionalSecretOutputs: ["redisUrl"] };

/** Makes the app's database role and database where the program is trusted with an admin connection. */
export class DatabaseAccount extends DynamicStep {
  constructor(name: string, args: StepArgs<DatabaseAccountInputs>, options?: pulumi.CustomResourceOptions) {
    // The provider gets both in plain text and hands them back as outputs: those have to be marked again.
    const secrets = pulumi.mergeOptions(options, { additionalSecretOutputs: ["adminUrl", "password"] });
    super("databaseAccount", name, args, secrets);
  }
}
