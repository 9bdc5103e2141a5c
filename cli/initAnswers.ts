import input from "@inquirer/input";
import select from "@inquirer/select";
import { connect, Refusal } from "@bluegreen/release";
import { loadKubeConfig } from "@bluegreen/release/kubernetes/cluster";
import { readOffers, type Offers } from "@bluegreen/release/doctor/offers";
import { routeKinds, type RouteKind } from "@bluegreen/release/route/route";
import { helpOf } from "@bluegreen/release/settings/fields";
import { shape } from "@bluegreen/release/settings/schema";

/** What was said on the command line. */
export interface Given {
  imageRepository?: string;
  tag?: string;
  host?: string;
  namespace?: string;
  context?: string;
  route?: RouteKind;
  ingressClass?: string;
  gateway?: string;
  clusterIssuer?: string;
}

/** What stands on the command line where nobody is asked. */
const flags: Partial<Record<keyof typeof shape, string>> = { imageRepository: "--image-repository", blueTag: "--tag", host: "--host" };

/**
 * A first config, as a stack's file holds it: from what is given, then from who is asked, then from
 * what the cluster has.
 * @throws Refusal where nobody is asked and something is missing
 */
export async function answersOf(given: Given, mayAsk: boolean): Promise<Record<string, string>> {
  const missing: string[] = [];
  const text = async (key: keyof typeof shape, message: string, said: string | undefined, fallback?: string): Promise<string> => {
    if (said !== undefined) return said;
    if (mayAsk) return input({ message, ...(fallback !== undefined && { default: fallback }), validate: (answer) => shape[key].safeParse(answer === "" ? undefined : answer).success || `It has to be ${helpOf(shape[key]).rule}.` });
    if (fallback === undefined) missing.push(flags[key] ?? key);
    return fallback ?? "";
  };
  const choice = async <Value extends string>(message: string, said: Value | undefined, values: readonly Value[], fallback: Value): Promise<Value> => {
    if (said !== undefined) return said;
    return mayAsk && values.length > 0 ? select<Value>({ message, choices: values.map((value) => ({ value })), default: fallback }) : fallback;
  };

  const { contexts, current } = contextsHere();
  const context = await choice("Which cluster, by its context?", given.context, contexts, current);
  const offers = await offersOf(context);
  const [offered = "nginx"] = offers.routes;
  const route = await choice("Who reads the way in?", given.route, [...new Set([...offers.routes, ...routeKinds])], offered);
  const [gateway = ""] = offers.gateways;
  const [ingressClass] = offers.ingressClasses;
  const [issuer = "none"] = offers.clusterIssuers;
  const answers = {
    activeColor: "blue",
    imageRepository: await text("imageRepository", "Image repository, without a tag?", given.imageRepository),
    blueTag: await text("blueTag", "Tag of the image that users get first?", given.tag),
    host: await text("host", "Host that users come by?", given.host),
    namespace: await text("namespace", "Namespace, which the program makes?", given.namespace, "chatgpt-production"),
    ...(context !== "" && { context }),
    traffic: JSON.stringify({ route, ...(route === "gateway" && { gateway: await choice("Which Gateway?", given.gateway, offers.gateways, gateway) }) }),
    ...classOf(route, given.ingressClass ?? (offers.ingressClasses.includes(route) ? undefined : ingressClass)),
    clusterIssuer: await choice("Who issues the host's certificate?", given.clusterIssuer, [...offers.clusterIssuers, "none"], issuer),
  };
  if (missing.length > 0) throw new Refusal({ what: `Nothing was written: ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not given`, rule: "there is nobody to ask: input is no terminal, or --yes was given", next: "the same command with them" });
  return answers;
}

/** Others read no IngressClass. */
function classOf(route: RouteKind, name: string | undefined): { ingressClass?: string } {
  return name !== undefined && (route === "nginx" || route === "alb" || route === "gce") ? { ingressClass: name } : {};
}

/** None where there is no kubeconfig: then nobody is asked for one. */
function contextsHere(): { contexts: string[]; current: string } {
  try {
    const config = loadKubeConfig();
    return { contexts: config.getContexts().map(({ name }) => name), current: config.getCurrentContext() };
  } catch {
    return { contexts: [], current: "" };
  }
}

/** None where the cluster cannot be asked: that is said afterwards, with all else that it lacks. */
async function offersOf(context: string): Promise<Offers> {
  try {
    return await readOffers(connect({ context, namespace: "default", isolation: "shared" }));
  } catch {
    return { routes: [], ingressClasses: [], gateways: [], clusterIssuers: [] };
  }
}
