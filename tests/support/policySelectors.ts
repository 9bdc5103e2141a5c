/** What a NetworkPolicy says, as far as this program says it. */
export interface PolicySpec {
  podSelector: { matchLabels: Record<string, string> };
  policyTypes: string[];
  ingress?: {
    ports?: { protocol: string; port: number }[];
    from?: { namespaceSelector?: Labels; podSelector?: Labels }[];
  }[];
  egress?: { ports?: { protocol: string; port: number }[] }[];
}

interface Labels {
  matchLabels: Record<string, string>;
}

export interface Peer {
  namespace: string;
  namespaceLabels: Record<string, string>;
  labels: Record<string, string>;
}

const has = (labels: Record<string, string>, selector: Labels | undefined) =>
  Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);

export function selects({ podSelector }: PolicySpec, labels: Record<string, string>): boolean {
  return has(labels, podSelector);
}

/**
 * Whether a pod that these policies hold for may be reached, by the rules of the API: a pod that
 * no policy selects may be reached by everybody; otherwise one rule has to let the peer in.
 */
export function mayReach(
  policies: PolicySpec[],
  to: { namespace: string; labels: Record<string, string> },
  port: number,
  from: Peer,
): boolean {
  const held = policies.filter(
    (policy) => policy.policyTypes.includes("Ingress") && selects(policy, to.labels),
  );
  if (held.length === 0) return true;
  return held
    .flatMap(({ ingress = [] }) => ingress)
    .some((rule) => {
      const onPort =
        rule.ports === undefined || rule.ports.some((each) => each.protocol === "TCP" && each.port === port);
      const byPeer =
        rule.from === undefined ||
        rule.from.some(
          ({ namespaceSelector, podSelector }) =>
            (namespaceSelector === undefined
              ? from.namespace === to.namespace
              : has(from.namespaceLabels, namespaceSelector)) && has(from.labels, podSelector),
        );
      return onPort && byPeer;
    });
}
