import { z } from "zod";
import { isColor, namespaceOf, type Color } from "../app/color.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { asMergePatch, mergePatched } from "../kubernetes/patch.js";
import { orUndefined } from "../kubernetes/requests.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { refuseLostRelease } from "./releaseLock.js";
import { names, approvalAnnotation, switchAnnotation } from "../app/names.js";
import { UserError } from "../util/userError.js";

/**
 * The last gate's word that traffic may move to a color, on its Deployment: by this switch, and no other.
 * @throws UserError when another update may be releasing the app by now
 */
export async function writeApproval(
  cluster: Cluster,
  app: string,
  color: Color,
  switchId: string,
): Promise<void> {
  await mergePatched(() => {
    refuseLostRelease(cluster, app);
    return patchApproval(cluster, app, color, switchId);
  });
}

/** Traffic that has not moved yet stays: without its approval the active Service refuses. */
export async function withdrawApproval(cluster: Cluster, app: string, color: Color): Promise<void> {
  await mergePatched(() => patchApproval(cluster, app, color, null));
}

async function patchApproval(
  cluster: Cluster,
  app: string,
  color: Color,
  switchId: string | null,
): Promise<void> {
  await cluster.apps.patchNamespacedDeployment(
    {
      name: names.deployment(app, color),
      namespace: namespaceOf(cluster, color),
      body: { metadata: { annotations: { [approvalAnnotation]: switchId } } },
    },
    asMergePatch,
  );
}

/** What of the active Service says where traffic goes. */
const serviceSchema = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.unknown()).default({}) }),
  spec: z.object({ selector: z.record(z.string(), z.unknown()) }),
});

export interface Move extends ClusterRef {
  app: string;
  /** Hash of each color's wanted pod template. */
  templates: Record<Color, string>;
  /** The active Service as it is about to be, in the shape of a manifest. */
  service: unknown;
  /** In preview the switch may not have its id yet. */
  preview: boolean;
}

/**
 * The lock on the active Service itself, for whoever goes around the gates: `--target`, or a state
 * that says less than there is. Traffic moves only to the color that the gates have let through, for
 * this very switch, with the pods that the program wants.
 * @throws UserError otherwise, which also says where traffic is
 */
export async function refuseUnapproved({ app, templates, service, preview, ...where }: Move): Promise<void> {
  const { metadata, spec } = serviceSchema.parse(service);
  const color = spec.selector["version"];
  const switchId = metadata.annotations[switchAnnotation];
  const cluster = connect(where);
  await sayingWhatIsLive(cluster, app, async () => {
    if (!isColor(color))
      throw refusal(JSON.stringify(color ?? null), "the selector's version must be blue or green");
    if ((await readLiveColor(cluster, app)) === color) return;
    if (preview && typeof switchId !== "string") return;
    const why = await whyNot(cluster, app, { color, switchId, template: templates[color] });
    if (why !== undefined) throw refusal(color, why);
  });
}

async function whyNot(
  cluster: Cluster,
  app: string,
  { color, switchId, template }: { color: Color; switchId: unknown; template: string },
): Promise<string | undefined> {
  const name = `${namespaceOf(cluster, color)}/${names.deployment(app, color)}`;
  const [deployment, service] = await Promise.all([
    readDeployment(cluster, app, color),
    orUndefined(
      cluster.core.readNamespacedService({ name: names.activeService(app), namespace: cluster.namespace }),
    ),
  ]);
  if (typeof switchId !== "string")
    return `no gate has let a switch through: the Service gets no ${switchAnnotation}`;
  if (service?.metadata?.annotations?.[switchAnnotation] === switchId)
    return `no gate has let it through: ${switchAnnotation} stays that of the last switch, ${switchId}`;
  const approval = deployment?.metadata?.annotations?.[approvalAnnotation];
  if (approval !== switchId)
    return `the gates have let ${approval === undefined ? "no switch" : `switch ${approval}`} to Deployment ${name} through, this is ${switchId}`;
  const running = templateOf(deployment);
  if (running !== template)
    return `the pod template of Deployment ${name} is ${running ?? "unmarked"}, and ${template} is wanted`;
  return undefined;
}

function refusal(color: string, rule: string): UserError {
  return new UserError({
    code: "BG-APPROVAL-MISSING",
    what: `The move of traffic to ${color} was refused`,
    rule,
    next: "pulumi up, without --target: then the gates come first",
  });
}
