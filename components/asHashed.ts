import * as pulumi from "@pulumi/pulumi";
import { quantity } from "@bluegreen/release/config/forms";
import { UserError } from "@bluegreen/release/util/userError";
import { isFields } from "@bluegreen/release/util/json";

/**
 * What makes a pod what it is, by paths of the inputs: of what makes pods, and of the objects that it takes its
 * variables from. Labels of the objects themselves, for instance, are the caller's to add.
 */
const ofPods = {
  Deployment: ["metadata.name", "metadata.namespace", "spec.selector", "spec.template"],
  CronJob: [
    "metadata.name",
    "metadata.namespace",
    "spec.schedule",
    "spec.timeZone",
    "spec.concurrencyPolicy",
    "spec.jobTemplate",
  ],
  ConfigMap: ["metadata.name", "metadata.namespace", "immutable", "data"],
  Secret: ["metadata.name", "metadata.namespace", "immutable", "data"],
} as const;

interface Compared {
  kind: keyof typeof ofPods;
  name: string;
  /** The inputs as the program gives them. */
  wanted: unknown;
  /** As the engine has them. */
  given: unknown;
}

/**
 * Refuses pods that are others than those that the program has hashed: by that hash the lock on the live color
 * compares, and the gates let a version through. Whatever changes a resource behind this program, a transform of
 * its component or of the stack, or a policy's remediation, has done so when the engine asks this hook.
 */
export function asHashed(
  kind: Compared["kind"],
  name: string,
  wanted: object,
): { hooks: { beforeCreate: pulumi.ResourceHook[]; beforeUpdate: pulumi.ResourceHook[] } } {
  const hook = new pulumi.ResourceHook(
    `${name}-${kind}-as-hashed`,
    async (args) => {
      const newInputs: object = args.newInputs ?? {};
      refuseChanged({ kind, name, wanted: await plain(wanted), given: await plain(newInputs) });
    },
    { onDryRun: true },
  );
  return { hooks: { beforeCreate: [hook], beforeUpdate: [hook] } };
}

/** @throws UserError naming what has been changed */
export function refuseChanged({ kind, name, wanted, given }: Compared): void {
  const changed = ofPods[kind].filter(
    (path) => !isSame(at(asStored(wanted), path), at(asStored(given), path), path),
  );
  if (changed.length === 0) return;
  throw new UserError({
    code: "BG-PODS-TRANSFORMED",
    what: `${kind} ${name} was refused: ${changed.join(" and ")} ${changed.length > 1 ? "are" : "is"} not what the program gives`,
    rule: "the live pods are compared, and the new ones tested, as the app's arguments say; a transform or a remediation would change them behind the lock on the live color",
    next: "use an argument (podTemplate, env, resources …) instead, and leave this resource out of the transforms and transformations of component and stack, and out of remediations; then pulumi up",
  });
}

/** A Secret's texts in the form that the API server, and the provider before it, keeps them in. */
function asStored(inputs: unknown): unknown {
  if (!isFields(inputs) || !isFields(inputs["stringData"])) return inputs;
  const { data, stringData, ...rest } = inputs;
  const texts = Object.entries<unknown>(stringData).map(([key, text]): [string, string] => [
    key,
    Buffer.from(String(text)).toString("base64"),
  ]);
  return { ...rest, data: { ...(isFields(data) && data), ...Object.fromEntries(texts) } };
}

function at(inputs: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, name) => (isFields(value) ? value[name] : undefined), inputs);
}

/**
 * Whether the API server would see the same: before the engine asks, the provider has left out what is empty, and
 * written quantities its own way.
 */
function isSame(wanted: unknown, given: unknown, name: string, isAmount = false): boolean {
  if (isEmpty(wanted, name) || isEmpty(given, name)) return isEmpty(wanted, name) && isEmpty(given, name);
  if (Array.isArray(wanted) && Array.isArray(given))
    return wanted.length === given.length && wanted.every((each, index) => isSame(each, given[index], name));
  if (isFields(wanted) && isFields(given))
    return [...new Set([...Object.keys(wanted), ...Object.keys(given)])].every((key) =>
      isSame(wanted[key], given[key], key, amounts.has(name) || singleAmounts.has(key)),
    );
  if (isAmount && !isFields(wanted) && !isFields(given))
    return quantity(String(wanted)) === quantity(String(given));
  return wanted === given;
}

/** Fields of quantities by the names of resources, and fields that are one. */
const amounts = new Set(["limits", "overhead", "requests"]);
const singleAmounts = new Set(["divisor", "sizeLimit"]);

/** Fields whose false is what they are without it. Of others Kubernetes' own default is another one. */
const falseAnyway = new Set(["hostIPC", "hostNetwork", "hostPID", "readOnly", "stdin", "stdinOnce", "tty"]);

/** As Go leaves it out. */
function isEmpty(value: unknown, name: string): boolean {
  return (
    (value === false && falseAnyway.has(name)) ||
    value === undefined ||
    value === null ||
    value === "" ||
    value === 0 ||
    (typeof value === "object" && Object.keys(value).length === 0)
  );
}

/** Without the marks of secrets. */
function plain(inputs: object): Promise<unknown> {
  return new Promise((resolve) => {
    pulumi.output(inputs).apply(resolve);
  });
}
