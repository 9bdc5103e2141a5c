import { expect } from "chai";
import { UserError, messageOf } from "@bluegreen/release";
import { masked, shown, shownIn } from "@bluegreen/release/util/shown";
import { planOf } from "@bluegreen/release/steps/plan";
import { dynamicProvider } from "@bluegreen/release/steps/provider";
import { shorten } from "@bluegreen/release/analysis/logLines";
import { broken } from "@bluegreen/release/util/finding";
import { presentable } from "@bluegreen/release/alerts/post";
import { Board } from "../../cli/dashboard/board";
import { statusLine, statusText } from "../../cli/statusText";
import { status } from "./statuses";

/** A text, and what of it people are shown. In all of them the secret is hunter2, or begins with hunter2. */
const secrets: [text: string, shownAs: string][] = [
  ["no answer from postgres://app:hunter2@db:5432/app", "no answer from postgres://app:[secret]@db:5432/app"],
  ["postgres://app:hunter2/a@db/app", "postgres://app:[secret]@db/app"],
  ["postgres://app:hunter2@a@db/app", "postgres://app:[secret]@db/app"],
  ["postgres://app:12/hunter2@db/app", "postgres://app:[secret]@db/app"],
  ["postgres://app:hunter2?a#b@db/app", "postgres://app:[secret]@db/app"],
  ['"postgres://app:hunter2"a@db/app"', '"postgres://app:[secret]@db/app"'],
  ["redis://:hunter2@redis said no", "redis://:[secret]@redis said no"],
  ["https://hunter2@github.com/you/app.git", "https://[secret]@github.com/you/app.git"],
  ["https://hunter2:x-oauth-basic@github.com/@you", "https://[secret]@github.com/@you"],
  ["https://ada:hunter2/a@example.com/", "https://[secret]@example.com/"],
  [
    "https://example.com/p?password=hunter2&sslmode=require",
    "https://example.com/p?password=[secret]&sslmode=require",
  ],
  ["https://example.com/p?a=1&X-Amz-Signature=hunter2", "https://example.com/p?a=1&X-Amz-Signature=[secret]"],
  ["https://example.com/?key=hunter2", "https://example.com/?key=[secret]"],
  ["password=hunter2 host=db user=app", "password=[secret] host=db user=app"],
  ["host=db password='hunter2 a' user=app", "host=db password=[secret] user=app"],
  ["host=db password = hunter2", "host=db password = [secret]"],
  ["PGPASSWORD=hunter2 psql", "PGPASSWORD=[secret] psql"],
  ['{"password":"hunter2","user":"app"}', '{"password":"[secret]","user":"app"}'],
  ['{"apiKey": "hunter2\\"a"}', '{"apiKey": "[secret]"}'],
  ["{ webhookSecret: 'hunter2', host: 'db' }", "{ webhookSecret: '[secret]', host: 'db' }"],
  ['"{\\"token\\":\\"hunter2\\"}"', '"{\\"token\\":\\"[secret]\\"}"'],
  ["Authorization: Bearer hunter2", "Authorization: [secret]"],
  ["it was sent Bearer hunter2.abc", "it was sent Bearer [secret]"],
  ["x-api-key: hunter2", "x-api-key: [secret]"],
  ["data:\n  password: hunter2\n  user: app", "data:\n  password: [secret]\n  user: app"],
  ["https://hooks.slack.com/services/T0/B0/hunter2", "https://hooks.slack.com/services/[secret]"],
  ["https://hooks.example.com/services/T0/B0/hunter2", "https://hooks.example.com/services/[secret]"],
  ["-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----", "[secret]"],
  ["the key sk-live-hunter2345 is wrong", "the key [secret] is wrong"],
  ["sk-hunter2-0123456789abcdef", "[secret]"],
  ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.hunter2", "[secret]"],
  // What is unseen does not hide a secret.
  ["pass\u200bword=hunter2", "password=[secret]"],
  ["postgres://app:hun\u001b[0mter2@db", "postgres://app:[secret]@db"],
];

const harmless = [
  "https://app.example.com/green/",
  "http://127.0.0.1:8080/x?mail=a@b.c",
  "https://example.com:8443/users/@me",
  "http://[::1]:9090/a@b",
  `ghcr.io/you/app:v1@sha256:${"0f".repeat(32)}`,
  `https://registry:5000/app@sha256:${"0f".repeat(32)}`,
  "postgres://app@db/app?host=%2Frun",
  "ssh://git@github.com/you/app.git",
  'FATAL: password authentication failed for user "app"',
  "without a password: it would be readable in the Deployment",
  "openaiApiKey = (not set)",
  "write api-key=… to a file, then kubectl -n shop create secret generic openai-credentials --from-env-file=FILE",
  "Secret shop/db-credentials has no url",
  "automountServiceAccountToken: false",
  "Service sk-customer-portal",
];

const orders: [text: string, shownAs: string][] = [
  ["\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007", "red link"],
  ["\u009b31mred \u001b]0;title\u001b\\", "red "],
  ["gone\rseen", "gone\nseen"],
  ["gone\r\n::error::forged", "gone\n: :error::forged"],
  ["  ::add-mask::a", "  : :add-mask::a"],
  ["\u200b::set-output name=a::b", ": :set-output name=a::b"],
  ["a\u2028::error::b", "a\n: :error::b"],
  [
    "x ##[error]y ##vso[task.setvariable]z ##teamcity[a]",
    "x # #[error]y # #vso[task.setvariable]z # #teamcity[a]",
  ],
  ["a\u202egnihtemos\u2066\u061c", "agnihtemos"],
  ["a\u0000\u0007\u007f\u0085b", "ab"],
  ["a\tb\nc ::d C::e", "a\tb\nc ::d C::e"],
];

const hostile = "postgres://app:hunter2@db\r\n::error::\u001b[2Jforged";
const safe = /hunter2|\u001b|\r|^\s*::/m;

describe("A text of others", () => {
  for (const [text, shownAs] of secrets) {
    it(`shows no secret: ${JSON.stringify(text)}`, () => {
      expect(shown(text)).to.equal(shownAs);
      expect(shown(shownAs), "again").to.equal(shownAs);
    });
  }

  it("stays as it is where it holds none", () => {
    for (const text of harmless) expect(shown(text)).to.equal(text);
  });

  it("gives no orders to a terminal or a CI system", () => {
    for (const [text, shownAs] of orders) {
      expect(shown(text), JSON.stringify(text)).to.equal(shownAs);
      expect(shown(shownAs), "again").to.equal(shownAs);
    }
  });

  it("shows no password that is known, in any form", () => {
    expect(masked("login as hun/ter2 or hun%2Fter2", ["postgres://app:hun%2Fter2@db/app"])).to.equal(
      "login as [secret] or [secret]",
    );
  });

  it("is cleaned wherever it comes before people", async () => {
    const alert = presentable({
      kind: "gateFailed",
      app: "shop",
      namespace: "shop",
      gate: hostile,
      version: { color: "blue", image: hostile },
      who: hostile,
      why: hostile,
      at: new Date(0),
      evidence: [hostile],
    });
    const board = new Board({
      app: "shop",
      namespace: "shop",
      stack: "s",
      clusters: [],
      gates: null,
      plan: null,
      jobs: {},
      isEnding: false,
    });
    board.tell({ type: "gates", gates: { unreadable: hostile, readAt: hostile } });
    const preview = { steps: [], diagnostics: [{ severity: "error", message: hostile }] };
    const plan = planOf({
      preview,
      status: status(),
      others: [],
      wanted: {
        activeColor: "blue",
        weights: { blue: 100, green: 0 },
        tags: { blue: hostile, green: undefined },
        analysisSeconds: 0,
        smokeLiveColor: false,
      },
      migrations: { unreadable: hostile },
      tagOf: (image) => image,
    });
    const said = {
      refusal: new UserError({ code: "BG-CONFIG-INVALID", what: hostile, rule: hostile, next: hostile })
        .message,
      error: messageOf(new Error(hostile)),
      thrown: messageOf(hostile),
      finding: broken("database", hostile, hostile),
      sample: shorten(hostile),
      alert,
      board: board.state,
      plan,
      statusText: statusText(
        status({
          blockedImages: [
            { color: "green", image: hostile, reason: hostile, evidence: [], at: hostile, by: hostile },
          ],
        }),
      ),
      statusLine: statusLine(
        status({ schema: { unreadable: hostile }, rollback: { possible: false, why: hostile } }),
      ),
      step: await saidBy(() =>
        dynamicProvider("writeFreezeEnd").create({
          namespace: "shop",
          app: hostile,
          redisUrl: "redis://127.0.0.1:1",
          token: "t",
        }),
      ),
    };
    for (const [where, what] of Object.entries(said))
      expect(
        textsIn(what).filter((text) => safe.test(text)),
        where,
      ).to.deep.equal([]);
    expect(alert.at.getTime(), "a time is no text").to.equal(0);
  });

  it("keeps the form of what it is in", () => {
    const at = new Date();
    expect(shownIn({ a: ["\u001b[1mb", 1, null, undefined, at], c: { d: true } })).to.deep.equal({
      a: ["b", 1, null, undefined, at],
      c: { d: true },
    });
  });
});

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Lines that are printed meanwhile. */
async function saidBy(work: () => Promise<unknown>): Promise<string[]> {
  const said: string[] = [];
  const { log } = console;
  console.log = (line: string) => {
    said.push(line);
  };
  try {
    await work();
  } finally {
    console.log = log;
  }
  expect(said).not.to.be.empty;
  return said;
}
