import { attention, type ColorStatus, type LastSwitch, type ReleaseStatus } from "@bluegreen/release/releases/status";
import { shownIn } from "@bluegreen/release/shown";
import { paint } from "./paint";
import { namedLines, newTable, tableText } from "./table";
import { tagOf } from "./tagOf";

/** Of the longest name, and two blanks. */
const nameWidth = 13;

/** The whole of it, for somebody who looks once. */
export function statusText(read: ReleaseStatus): string {
  const status = shownIn(read);
  const { app, namespace, cluster, live } = status;
  const sections = [
    `${app} in ${namespace}${cluster === null ? "" : ` of ${cluster}`}: ${live === null ? "no color has users yet" : `users are on ${live}`}`,
    colorTable(status.colors),
    namedLines([["schema", schemaLines(status)], ["last switch", switchLines(status.lastSwitch)], ["rollback", rollbackLines(status)], ["marks", markLines(status)], ["attention", attention(status).map(paint.heed)]], nameWidth),
  ];
  return sections.join("\n\n");
}

/** The same in a line, for a log. */
export function statusLine(read: ReleaseStatus): string {
  const status = shownIn(read);
  const { cluster, live, colors, schema, rollback } = status;
  const parts = colors.map(({ color, role, image, ready, wanted, users }) => `${color} ${role}${image === null ? "" : ` ${tagOf(image)} ${ready}/${wanted}`}${users > 0 && users < 100 ? ` ${users} %` : ""}`);
  const found = attention(status);
  return [...(cluster === null ? [] : [cluster]), `live ${live ?? "none"}`, ...parts, `schema ${"version" in schema ? (schema.version ?? "none") : "unknown"}`, `rollback ${rollback.possible ? "possible" : "not possible"}`, ...(found.length > 0 ? [`attention: ${found.join(" ")}`] : [])].join(" · ").replaceAll("\n", " ");
}

function colorTable(colors: ColorStatus[]): string {
  const text = newTable(["color", "role", "image", "users", "ready"], 3);
  for (const { color, role, image, users, ready, wanted } of colors) text.push([color, role, image === null ? "none" : tagOf(image), `${users} %`, `${ready} of ${wanted}`]);
  return tableText(text);
}

function schemaLines({ schema }: ReleaseStatus): string[] {
  if ("unreadable" in schema) return [`could not be read: ${schema.unreadable}`];
  return [schema.version ?? "none", ...schema.pending.map(({ id, name, phase, state, notes }) => `${id}_${name} (${phase}): ${state}, ${notes.join("; ")}`)];
}

/** What has become of a move of users, in words. */
export const states: Record<LastSwitch["state"], string> = {
  permitted: "let through by the gates, not noted yet",
  watching: "watched by the update",
  standby: "watched by the watcher in the cluster",
  kept: "kept: nobody watches any more",
  rolledBack: "rolled back",
};

function switchLines(last: LastSwitch | null): string[] {
  if (last === null) return ["none"];
  const { kind, share, at, from, to, who, why, state } = last;
  const what = `${kind === "share" ? `${share} % of the users` : kind} to ${to.color} ${tagOf(to.image)}${from === null ? "" : ` from ${from.color} ${tagOf(from.image)}`}`;
  return [`${at.replace(/\.\d+Z$/, "Z")}  ${what}`, `by ${who}: ${why}`, states[state]];
}

function rollbackLines({ rollback }: ReleaseStatus): string[] {
  return rollback.possible ? [`${paint.good("possible")}, to ${rollback.to}`] : [`${paint.heed("not possible")}: ${rollback.why}`];
}

function markLines({ marks }: ReleaseStatus): string[] {
  return marks.map(({ color, image, reason, at, by }) => `${color} ${tagOf(image)}: ${reason} (${at.replace(/\.\d+Z$/, "Z")}, ${by})`);
}
