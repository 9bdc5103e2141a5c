import { createHmac } from "node:crypto";
import { idOf, severityOf, titleOf, type Alert } from "./alert.js";
import type { Message } from "./post.js";

/** JSON, signed: whoever has the secret knows that it comes from here, and when. How to verify it: docs/alerts.md. */
export function webhookMessage(url: string, secret: string, alert: Alert): Message {
  const body = JSON.stringify({ id: idOf(alert), severity: severityOf(alert), title: titleOf(alert), ...alert });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return { url, headers: { "x-bluegreen-timestamp": timestamp, "x-bluegreen-signature": `sha256=${signature}` }, body };
}
