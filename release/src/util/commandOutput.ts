import { masked } from "./masked.js";
import { shown } from "./shown.js";
import type { Say } from "./step.js";

/** How a program of the user's has ended. */
export interface ProgramEnd {
  hasPassed: boolean;
  timedOut: boolean;
  /** A sentence's end: "ended with code 1". */
  how: string;
}

/** So many lines are shown as they come; a program that writes more is read in its own log. */
const shownMax = 2000;
const keptMax = 20;
const widthMax = 500;
/** A shorter value would be found in ordinary words, which then nobody could read. */
const secretMin = 4;

/**
 * What a program of the user's writes: each line is shown as it comes, without secrets and without what a
 * terminal or a CI system would obey, and the last ones are kept.
 */
export class CommandOutput {
  private readonly last: string[] = [];
  private readonly secrets: string[];
  private told = 0;
  private isInKey = false;

  /** @param secrets values that are shown nowhere */
  constructor(
    private readonly title: string,
    secrets: readonly string[],
    private readonly say: Say,
  ) {
    // A longer one may begin with a shorter one.
    this.secrets = secrets
      .flatMap((secret) => [secret, ...secret.split(/\r?\n/)])
      .map((secret) => secret.trim())
      .filter((secret) => secret.length >= secretMin)
      .toSorted((a, b) => b.length - a.length);
  }

  readonly take = (line: string): void => {
    const text = this.hide(line);
    if (text === undefined) return;
    this.last.push(text);
    if (this.last.length > keptMax) this.last.shift();
    this.told++;
    if (this.told <= shownMax) this.say(`${this.title}: ${text}`);
    else if (this.told === shownMax + 1)
      this.say(`${this.title}: more than ${shownMax} lines; further ones are not shown here`);
  };

  /** The last lines, as they may come before people. */
  get lines(): string[] {
    return [...this.last];
  }

  /** Undefined for what is only an end of a secret. */
  private hide(line: string): string | undefined {
    // A key has many lines, of which each looks like nothing.
    const isInside = this.isInKey;
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(line)) this.isInKey = true;
    if (/-----END [A-Z ]*PRIVATE KEY-----/.test(line)) this.isInKey = false;
    if (isInside) return undefined;
    const known = this.secrets.reduce((text, secret) => text.replaceAll(secret, "[secret]"), line);
    const text = shown(masked(known, this.secrets)).trimEnd();
    return text.length <= widthMax ? text : `${text.slice(0, widthMax - 1)}…`;
  }
}
