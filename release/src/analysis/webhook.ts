import { z } from "zod";
import { fetchText, NoAnswerError, type FetchBounds } from "../util/http.js";
import { parseJson } from "../util/json.js";
import { shorten } from "./logLines.js";

/** What a web hook says of an observation, or why it says nothing. */
export type WebhookVerdict = { healthy: true } | { healthy: false; reason: string } | { noData: string };

const bounds: FetchBounds = { maxBytes: 64 * 1024, timeoutMs: 5000 };

const answer = z.object({ healthy: z.boolean(), reason: z.string().optional() });

/**
 * Shows a web hook an observation, and asks what it thinks: `{"healthy": true}`, or `{"healthy": false, "reason":
 * "…"}`. Any other answer, or none, is no data, and never against the version.
 * @param summary sent as JSON
 */
export async function askWebhook(url: string, summary: object, signal: AbortSignal): Promise<WebhookVerdict> {
  try {
    const { status, text } = await fetchText(
      url,
      { ...bounds, signal },
      { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(summary) },
    );
    if (status !== 200) return { noData: `the web hook answers ${status}` };
    const parsed = answer.safeParse(parseJson(text));
    if (!parsed.success) return { noData: "the web hook's answer is not {healthy: true or false}" };
    return parsed.data.healthy
      ? { healthy: true }
      : { healthy: false, reason: shorten(parsed.data.reason ?? "it gives no reason") };
  } catch (error) {
    if (error instanceof NoAnswerError) return { noData: error.message };
    throw error;
  }
}
