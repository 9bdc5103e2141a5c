import { severityOf, titleOf, versionOf, type Alert, type AlertKind, type Link } from "./alert.js";
import type { Message } from "./post.js";

/** Slack's limits, in characters as they are sent; a message that breaks one is refused whole. */
const headerMax = 150;
const textMax = 3000;
const fieldMax = 2000;

const symbols: Record<AlertKind, string> = {
  started: "▶️",
  switched: "✅",
  rolledBack: "🚨",
  gateFailed: "⛔",
  contractDue: "⏳",
};

/** A message for an incoming webhook of Slack, or of what speaks like it. */
export function slackMessage(url: string, alert: Alert): Message {
  const { kind, who, why, at, evidence, links = [] } = alert;
  const title = `${symbols[kind]} ${titleOf(alert)}`;
  const blocks = [
    { type: "header", text: { type: "plain_text", text: escaped(title, headerMax) } },
    ...section(escaped(why, textMax)),
    {
      type: "section",
      fields: fieldsOf(alert).map(([name, value]) =>
        markdown(`*${name}*\n${escaped(value, fieldMax - name.length - 3)}`),
      ),
    },
    ...section(codeBlock(evidence)),
    ...section(linkList(links)),
    { type: "context", elements: [markdown(escaped(`${who} · ${at.toISOString()}`, textMax))] },
  ];
  // Shown where blocks are not, in notifications above all.
  return {
    url,
    body: { text: escaped(`${title}: ${why}`, textMax), blocks, unfurl_links: false, unfurl_media: false },
  };
}

function fieldsOf(alert: Alert): [name: string, value: string][] {
  const { color, image } = versionOf(alert);
  const common: [string, string][] = [
    ["Namespace", alert.namespace],
    ["Severity", severityOf(alert)],
    ["Color", color],
    ["Image", image],
  ];
  switch (alert.kind) {
    case "started":
    case "switched":
      return alert.from === undefined
        ? common
        : [...common, ["Before", `${alert.from.color}, ${alert.from.image}`]];
    case "rolledBack":
      return [...common, ["Traffic is on", `${alert.to.color}, ${alert.to.image}`]];
    case "gateFailed":
      return [...common, ["Gate", alert.gate]];
    case "contractDue":
      return [...common, ["Migrations", alert.migrations.join(", ")]];
  }
}

/** None for an empty text, which Slack refuses. */
function section(text: string) {
  return text === "" ? [] : [{ type: "section", text: markdown(text) }];
}

/** Verbatim: Slack makes no links and mentions of its own out of what looks like some. */
function markdown(text: string) {
  return { type: "mrkdwn", text, verbatim: true };
}

/**
 * Without the first three nothing is a mention or a link, without the last one nothing begins or ends code.
 */
const harmless: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'" };

/** Cut between characters, so that what is sent is short enough. */
function escaped(text: string, max: number): string {
  let result = "";
  for (const character of text) {
    const next = harmless[character] ?? character;
    if (result.length + next.length >= max) return `${result}…`;
    result += next;
  }
  return result;
}

const fence = "```";

/** As many lines as Slack takes; empty when there are none. */
function codeBlock(lines: string[]): string {
  let text = "";
  for (const [index, line] of lines.entries()) {
    const next = `\n${escaped(line, textMax)}`;
    const rest = `\n… ${lines.length - index} more`;
    if (text.length + next.length + rest.length + 2 * fence.length + 1 > textMax)
      return `${fence}${text}${rest}\n${fence}`;
    text += next;
  }
  return text === "" ? "" : `${fence}${text}\n${fence}`;
}

/** A link is whole or not there. */
function linkList(links: Link[]): string {
  let list = "";
  for (const { text, url } of links) {
    // What ends a link's URL; all else that could is encoded by URL itself.
    const target = url
      .replaceAll("&", "&amp;")
      .replaceAll("|", "%7C")
      .replaceAll("<", "%3C")
      .replaceAll(">", "%3E");
    const next = `${list === "" ? "" : " · "}<${target}|${escaped(text.replaceAll("|", "/"), 200)}>`;
    if (list.length + next.length <= textMax) list += next;
  }
  return list;
}
