import { expect } from "chai";
import { sendAlert, type Alert } from "@bluegreen/release";
import { someAlerts } from "../support/alerts";
import { startReceiver, type HttpReceiver } from "../support/receiver";

interface Text {
  type: string;
  text: string;
  verbatim?: boolean;
}

interface SlackMessage {
  text: string;
  blocks: { type: string; text?: Text; fields?: Text[]; elements?: Text[] }[];
}

/** What a log line or an error text may hold, by accident or not. */
const evil = "<!channel> <!here> <@U0123> <https://evil.example.com|the runbook> @channel ``` *now* & so on";

describe("A Slack message", function () {
  // Of a machine with more to do.

  let receiver: HttpReceiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver.close());

  const messageOf = async (alert: Alert): Promise<SlackMessage> => {
    const [delivery] = await sendAlert([{ kind: "slack", url: receiver.url }], alert);
    expect(delivery).to.deep.equal({ receiver: "slack", failure: undefined });
    return JSON.parse(receiver.received.at(-1)?.body ?? "") as SlackMessage;
  };
  const textsOf = ({ blocks }: SlackMessage) =>
    blocks.flatMap(({ text, fields = [], elements = [] }) => [
      ...(text === undefined ? [] : [text]),
      ...fields,
      ...elements,
    ]);

  it("has a header, the reason, fields, the evidence as code, links, and who and when", async () => {
    const message = await messageOf(someAlerts.rolledBack);
    expect(message.text).to.equal("🚨 chatgpt-app: rolled back from green to blue: score 12 of 10");
    expect(message.blocks.map(({ type }) => type)).to.deep.equal([
      "header",
      "section",
      "section",
      "section",
      "section",
      "context",
    ]);
    const [header, why, fields, evidence, links, context] = message.blocks;
    expect(header?.text).to.deep.equal({
      type: "plain_text",
      text: "🚨 chatgpt-app: rolled back from green to blue",
    });
    expect(why?.text?.text).to.equal("score 12 of 10");
    expect(fields?.fields?.map(({ text }) => text)).to.deep.equal([
      "*Namespace*\nshop",
      "*Severity*\ncritical",
      "*Color*\ngreen",
      "*Image*\napp:v2",
      "*Traffic is on*\nblue, app:v1",
    ]);
    expect(evidence?.text?.text).to.equal("```\n3 restarts\np99 9.1 s\n```");
    expect(links?.text?.text).to.equal("<https://ci.example.com/runs/1?a=1&amp;b=2|CI run>");
    expect(context?.elements?.map(({ text }) => text)).to.deep.equal(["ada · 2026-03-01T03:00:00.000Z"]);
  });

  it("says of each kind what it is about", async () => {
    const fieldsOf = async (alert: Alert) => textsOf(await messageOf(alert)).map(({ text }) => text);
    expect(await fieldsOf(someAlerts.started)).to.include("*Before*\nblue, app:v1");
    expect(await fieldsOf({ ...someAlerts.switched, from: undefined, evidence: [] }))
      .to.include("*Image*\napp:v2")
      .and.satisfy((texts: string[]) => texts.every((text) => !/Before|```/.test(text)));
    expect(await fieldsOf(someAlerts.gateFailed)).to.include("*Gate*\nsmoke gate");
    expect(await fieldsOf(someAlerts.contractDue)).to.include("*Migrations*\n0005_drop_email");
  });

  it("mentions nobody, links nowhere and stays one block of code, whatever the evidence holds", async () => {
    const message = await messageOf({
      ...someAlerts.rolledBack,
      why: evil,
      who: evil,
      evidence: [evil, "```", evil],
      links: [{ text: evil, url: "https://ci.example.com/a|b>c" }],
    });
    const texts = textsOf(message);
    const [link] = texts.filter(({ text }) => text.startsWith("<"));
    expect(link?.text).to.match(/^<https:\/\/ci\.example\.com\/a%7Cb%3Ec\|[^|<>]*>$/);
    for (const { type, text, verbatim } of texts.filter((each) => each !== link)) {
      expect(text).not.to.match(/[<>]/);
      expect(text.replaceAll(/&(amp|lt|gt);/g, "")).not.to.contain("&");
      if (type === "mrkdwn") expect(verbatim, text).to.equal(true);
    }
    expect(message.text).not.to.match(/[<>]/);
    const code = texts.filter(({ text }) => text.includes("```"));
    expect(code, "no other text begins code").to.have.length(1);
    expect(code[0]?.text).to.match(/^```\n[^`]*\n```$/);
  });

  it("keeps Slack's limits, whatever there is to say", async () => {
    const long = "&<😀>".repeat(5_000);
    for (const evidence of [
      [long],
      Array.from({ length: 5_000 }, () => long),
      Array.from({ length: 5_000 }, (_, index) => `line ${index}`),
    ]) {
      const alert = {
        ...someAlerts.rolledBack,
        app: long,
        namespace: long,
        from: { color: "green" as const, image: long },
        who: long,
        why: long,
        evidence,
        links: Array.from({ length: 100 }, (_, index) => ({
          text: long,
          url: `https://ci.example.com/${index}/${"x".repeat(1_000)}`,
        })),
      };
      const message = await messageOf(alert);
      expect(message.blocks.length).to.be.at.most(50);
      for (const { type, text, fields = [], elements = [] } of message.blocks) {
        expect(text?.text.length ?? 1).to.be.within(1, type === "header" ? 150 : 3000);
        expect(fields.length, "fields").to.be.at.most(10);
        for (const field of fields) expect(field.text.length).to.be.within(1, 2000);
        for (const element of elements) expect(element.text.length).to.be.within(1, 3000);
      }
      for (const { text } of textsOf(message)) {
        expect(text, "no half characters").not.to.match(/\p{Surrogate}/u);
        expect(text.replaceAll(/&(amp|lt|gt);/g, ""), "no half entities").not.to.contain("&");
      }
      const [code] = textsOf(message).filter(({ text }) => text.startsWith("```"));
      expect(code?.text).to.match(/^```\n[^`]*\n… \d+ more( lines)?\n```$|^```\n[^`]*…\n```$/);
    }
  });

  it("has no empty text: Slack refuses it", async () => {
    for (const { text } of textsOf(
      await messageOf({
        ...someAlerts.gateFailed,
        who: "",
        why: "",
        gate: "",
        evidence: ["", " "],
        version: { color: "green", image: "" },
      }),
    ))
      expect(text).not.to.equal("");
  });
});
