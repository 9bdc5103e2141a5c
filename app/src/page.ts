import type { RequestHandler } from "express";
import type { Settings } from "./settings";
import template from "./page.html";

/** What a person gets who opens the app: which color has answered, and which version it is. */
export function page({ ENVIRONMENT, APP_VERSION }: Settings): RequestHandler {
  const values: Record<string, string> = { color: ENVIRONMENT, version: asHtml(APP_VERSION) };
  const html = template.replaceAll(/\{\{(\w+)\}\}/g, (_placeholder, name: string) => values[name] ?? "");
  return (_request, response) => void response.type("html").send(html);
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function asHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
