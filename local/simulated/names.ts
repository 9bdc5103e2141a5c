/**
 * Whatever is simulated says so in its name. One simulation is told from another on the same stage by its id.
 */
export const simulatedNames = {
  node: (id: string, index: number) => `simulated-${id}-${index}`,
  /** Namespaces with this beginning have their pods on simulated nodes, and nowhere else. */
  namespacePrefix: (id: string) => `simulated-${id}-`,
  /** The policy that sees to it, and its binding. */
  placement: (id: string) => `simulated-${id}`,
} as const;

/** Label and taint of simulated nodes; its value is the simulation's id. */
export const simulatedKey = "bluegreen.local/simulated";
