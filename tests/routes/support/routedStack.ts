import type { RouterName } from "@bluegreen/release/routers/routers";
import type { AppBuild } from "../../../local/images/app";
import { makeTlsSecret } from "../../../local/stage";
import { makeStack, type TestStack, type Whereabouts } from "../../../local/testing/testStack";
import { edgeOf } from "../../support/testNamespace";
import { Visitor } from "./visitor";

/** The whole program as a stack of its own, whose requests come in by the stage's edge. */
export interface RoutedStack extends TestStack {
  visitor: Visitor;
  /** Its setting of that name. */
  traffic: Record<string, string>;
}

/** @throws Error when the stage has no edge */
export async function makeRoutedStack(
  route: RouterName,
  images: AppBuild[],
  whereabouts?: Whereabouts,
): Promise<RoutedStack> {
  const test = await makeStack(images, whereabouts);
  const edge = edgeOf(test.stage);
  const host = `${test.name}.${edge.host}`;
  const { namespace, name } = edge.gateway;
  const traffic = {
    strategy: "weighted",
    router: route,
    ...(route === "gateway" && { gateway: `${namespace}/${name}/https` }),
  };
  await test.set({ host, clusterIssuer: "none", traffic });
  const visitor = new Visitor(edge, host);
  return {
    ...test,
    visitor,
    traffic,
    remove: async () => {
      visitor.close();
      await test.remove();
    },
  };
}

/** Nobody on the stage issues certificates: once the namespace is there. */
export async function makeCertificate({ cluster }: TestStack): Promise<void> {
  await makeTlsSecret({ name: "chatgpt-app-tls", namespace: cluster.namespace });
}
