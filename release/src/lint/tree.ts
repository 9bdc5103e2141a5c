import type { Node } from "libpg-query";

/** Their bodies are stored, not run. */
const stored = new Set(["CreateFunctionStmt", "RuleStmt", "ViewStmt"]);

type KindOf<T> = T extends unknown ? keyof T : never;
export type NodeKind = KindOf<Node>;
export type NodeOf<K extends NodeKind> = Extract<Node, Record<K, unknown>>;

/** Every node of a kind inside a statement that the statement itself runs. Without recursion: the tree can be deep. */
export function nodesOf<K extends NodeKind>(root: unknown, kind: K): NodeOf<K>[K][] {
  const found: NodeOf<K>[K][] = [];
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    if (isNode(value, kind)) found.push(value[kind]);
    for (const [key, child] of Object.entries(value)) if (!stored.has(key)) open.push(child);
  }
  return found.reverse();
}

function isNode<K extends NodeKind>(value: object, kind: K): value is NodeOf<K> {
  return kind in value;
}
