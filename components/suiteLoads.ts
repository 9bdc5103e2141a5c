import * as pulumi from "@pulumi/pulumi";
import type { SuiteInputs } from "@bluegreen/release/gates/suite";
import { isFields } from "@bluegreen/release/util/json";

/**
 * Refuses a release whose tests do not load, in its preview: before anything rolls out. In the update the gate
 * comes after the rollout, and loads them itself. The rollback changes no template, and is not asked.
 */
export function asLoadable(name: string, suite: SuiteInputs): Pick<pulumi.CustomResourceOptions, "hooks"> {
  if (!pulumi.runtime.isDryRun()) return {};
  const hook = new pulumi.ResourceHook(
    `${name}-smoke-tests-load`,
    async (args) => {
      if (templateOf(args.oldInputs) === templateOf(args.newInputs)) return;
      const { loadSuite } = await import("@bluegreen/release/gates/suite");
      await loadSuite(suite);
    },
    { onDryRun: true },
  );
  return { hooks: { beforeCreate: [hook], beforeUpdate: [hook] } };
}

function templateOf(inputs: unknown): unknown {
  return isFields(inputs) ? inputs["template"] : undefined;
}
