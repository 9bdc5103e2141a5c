import input from "@inquirer/input";
import select from "@inquirer/select";
import { z } from "zod";
import { connect, UserError } from "@bluegreen/release";
import { loadKubeConfig } from "@bluegreen/release/kubernetes/cluster";
import { readerOf, clusterIssuers } from "@bluegreen/release/doctor/ingress";
import type { ClusterReader, Prompt } from "@bluegreen/release/routers/router";
import { routerNames, routers, type RouterName } from "@bluegreen/release/routers/routers";
import { helpOf } from "@bluegreen/release/config/fields";
import { shape } from "@bluegreen/release/config/schema";
import { app, projectSetting } from "./stackConfig";

/** What was said on the command line. */
export interface Given {
  imageRepository?: string;
  tag?: string;
  host?: string;
  namespace?: string;
  context?: string;
  route?: RouterName;
  ingressClass?: string;
  gateway?: string;
  clusterIssuer?: string;
}

/** What stands on the command line where nobody is asked. */
const flags: Partial<Record<keyof typeof shape, string>> = {
  imageRepository: "--image-repository",
  blueTag: "--tag",
  host: "--host",
};

/**
 * A first config, as a stack's file holds it: from what is given, then from who is asked, then from
 * what the cluster has.
 * @throws UserError where nobody is asked and something is missing
 */
export async function answersOf(given: Given, mayAsk: boolean): Promise<Record<string, string>> {
  const missing: string[] = [];
  const text = async (
    key: keyof typeof shape,
    said: string | undefined,
    fallback?: string,
  ): Promise<string> => {
    if (said !== undefined) return said;
    if (mayAsk)
      return input({
        message: promptOf(key),
        ...(fallback !== undefined && { default: fallback }),
        validate: (answer) =>
          shape[key].safeParse(answer === "" ? undefined : answer).success ||
          `It has to be ${helpOf(shape[key]).rule}.`,
      });
    if (fallback === undefined) missing.push(flags[key] ?? key);
    return fallback ?? "";
  };
  const choice = async <Value extends string>(
    message: string,
    said: Value | undefined,
    values: readonly Value[],
    fallback: Value,
  ): Promise<Value> => {
    if (said !== undefined) return said;
    return mayAsk && values.length > 0
      ? select<Value>({ message, choices: values.map((value) => ({ value })), default: fallback })
      : fallback;
  };

  const { contexts, current } = contextsHere();
  const context = await choice(promptOf("context"), given.context, contexts, current);
  const reader = readerIn(context);
  const offered = await Promise.all(
    routerNames.map(async (name) => ((await routers[name].isOffered(reader)) ? [name] : [])),
  ).then((each) => each.flat());
  const [usual = "nginx"] = offered;
  const router = await choice(
    promptOf("traffic", "router"),
    given.route,
    [...new Set([...offered, ...routerNames])],
    usual,
  );
  const issuers = z
    .array(named)
    .parse(await reader.list(clusterIssuers))
    .map(({ metadata }) => metadata.name);
  const answers = {
    activeColor: "blue",
    imageRepository: await text("imageRepository", given.imageRepository),
    blueTag: await text("blueTag", given.tag),
    // Nobody comes by one where no ingress is made.
    ...((router !== "none" || given.host !== undefined) && { host: await text("host", given.host) }),
    namespace: await text("namespace", given.namespace, projectSetting("namespace") ?? app),
    ...(context !== "" && { context }),
    ...(await settingsOf(router, {
      given,
      reader,
      choose: (part, values) => choice(promptOf("traffic", part), given[part], values, values[0] ?? ""),
    })),
    clusterIssuer: await choice(
      promptOf("clusterIssuer"),
      given.clusterIssuer,
      [...issuers, "none"],
      issuers[0] ?? "none",
    ),
  };
  if (missing.length > 0)
    throw new UserError({
      code: "BG-ANSWER-MISSING",
      what: `Nothing was written: ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not given`,
      rule: "there is nobody to ask: input is no terminal, or --yes was given",
      next: "the same command with them",
    });
  return answers;
}

/** What a setting is, by the first sentence of its description; what a part of one may be, by its rule. */
function promptOf(key: keyof typeof shape, part?: string): string {
  const { description, parts } = helpOf(shape[key]);
  if (part !== undefined) return `${key}.${part}: ${parts?.[part] ?? ""}`;
  const [sentence = ""] = description.split(/\.(?: |$)/, 1);
  return `${key}: ${sentence}`;
}

/** A router, and what it needs beside. */
async function settingsOf(
  router: RouterName,
  prompt: Prompt,
): Promise<{ traffic: string; ingressClass?: string }> {
  const { gateway, ingressClass } = (await routers[router].prompt?.(prompt)) ?? {};
  return {
    traffic: JSON.stringify({
      router,
      gateway,
      ...(routers[router].isWeightedOnly === true && { strategy: "weighted" }),
    }),
    ...(ingressClass !== undefined && { ingressClass }),
  };
}

const named = z.object({ metadata: z.object({ name: z.string() }) });

/** None where there is no kubeconfig: then nobody is asked for one. */
function contextsHere(): { contexts: string[]; current: string } {
  try {
    const config = loadKubeConfig();
    return { contexts: config.getContexts().map(({ name }) => name), current: config.getCurrentContext() };
  } catch {
    return { contexts: [], current: "" };
  }
}

/** Nothing where the cluster cannot be asked: that is said afterwards, with all else that it lacks. */
function readerIn(context: string): ClusterReader {
  const ask = async <T>(question: (reader: ClusterReader) => Promise<T>, nothing: T): Promise<T> => {
    try {
      return await question(readerOf(connect({ context, namespace: "default", namespacePerColor: false })));
    } catch {
      return nothing;
    }
  };
  return {
    list: (kind) => ask((reader) => reader.list(kind), []),
    read: (object) => ask((reader) => reader.read(object), undefined),
    serves: (kind) => ask((reader) => reader.serves(kind), false),
  };
}
