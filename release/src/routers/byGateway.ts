import { z } from "zod";
import { broken, ingressSubject, type Finding } from "../util/finding.js";
import type { KindAt, Router } from "./router.js";

const named = z.object({ metadata: z.object({ name: z.string(), namespace: z.string() }) });

/**
 * How to find a Gateway that somebody else has made, as config names it.
 * @param kind of the Gateway
 * @param evaluate what there is to say of one that is there, of its name, and of the listener that config wants
 */
export function byGateway(
  kind: KindAt,
  evaluate: (found: unknown, at: string, listener: string | undefined) => Finding,
): Pick<Router, "reads" | "isOffered" | "examine" | "prompt"> {
  return {
    reads: [{ group: kind.group, resources: [kind.plural], verbs: ["get"] }],
    isOffered: async (reader) => (await reader.list(kind)).length > 0,
    async examine(reader, { gateway = "" }) {
      const [namespace = "", name = "", listener] = gateway.split("/");
      const found = await reader.read({ ...kind, namespace, name });
      return found === undefined
        ? broken(
            ingressSubject,
            `there is no Gateway ${namespace}/${name}`,
            `kubectl get ${kind.plural}.${kind.group} --all-namespaces, then pulumi config set --path traffic.gateway NAMESPACE/NAME`,
          )
        : evaluate(found, `${namespace}/${name}`, listener);
    },
    async prompt({ reader, choose }) {
      const all = z.array(named).parse(await reader.list(kind));
      const known = all.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`);
      return { gateway: await choose("gateway", known) };
    },
  };
}
