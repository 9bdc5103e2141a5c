/** What `npm start` says at its end: where to look, and what to type. */
import { names } from "@bluegreen/release";
import { shellWord } from "@bluegreen/release/util/bluegreenCommand";
import { stackEnvironment } from "./home";
import type { Links } from "./links";
import { app, type Target } from "./target";

/** A title, and below it what to open or to type with a few words each. */
interface Section {
  title: string;
  rows: [what: string, purpose: string][];
}

/** Of the dev cluster: its commands find the stack by themselves. */
export function localWords(links: Links): string {
  const open: [string, string | null][] = [
    ["the app", links.app],
    ["the dashboard", links.dashboard],
  ];
  return textOf([
    {
      title: "Open in a browser:",
      rows: open.flatMap(([name, url]): Section["rows"] => (url === null ? [] : [[name, url]])),
    },
    {
      title: "Type:",
      rows: [
        ["npm run bluegreen -- status", "which color is live, and how both are"],
        ["npm run bluegreen -- switch", "switch traffic to the other color"],
        ["npm run bluegreen -- rollback", "roll back to the previous color"],
        ["npm run stop", "end and remove all of it"],
      ],
    },
  ]);
}

/** Of a cluster that npm start has not made: nothing of it stays open, so each part is a command. */
export function foreignWords({ home, env, context, namespace }: Target): string {
  const exports = Object.entries({ ...env, ...stackEnvironment(home) });
  const bluegreen = (command: string) => `npm run bluegreen -- ${command} --stack ${home.stack}`;
  const forward = `kubectl --context ${shellWord(context)} --namespace ${namespace} port-forward service/${names.activeService(app)} 8080:80`;
  return textOf([
    {
      title: "Type first:",
      rows: exports.map(([name, value]) => [`export ${name}=${shellWord(value)}`, ""]),
    },
    {
      title: "Open in a browser:",
      rows: [
        [forward, "the app, at http://127.0.0.1:8080/; again after a switch"],
        [bluegreen("dashboard"), "the dashboard, at the address that it prints"],
      ],
    },
    {
      title: "Type:",
      rows: [
        [bluegreen("status"), "which color is live, and how both are"],
        [bluegreen("switch"), "switch traffic to the other color"],
        [bluegreen("rollback"), "roll back to the previous color"],
        ["npm run pulumi -- destroy --yes", "remove all of it, the database excepted"],
      ],
    },
  ]);
}

function textOf(sections: Section[]): string {
  return sections
    .filter(({ rows }) => rows.length > 0)
    .map(({ title, rows }) => {
      const width = Math.max(...rows.map(([what]) => what.length));
      return [title, ...rows.map(([what, purpose]) => `  ${what.padEnd(width)}  ${purpose}`.trimEnd())].join(
        "\n",
      );
    })
    .join("\n\n");
}
