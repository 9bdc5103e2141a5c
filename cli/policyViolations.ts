/**
 * What a policy pack refuses, from the text of a preview: the real CLI leaves it out of its JSON.
 * @returns each mandatory violation, as it stands there; none where no policy refuses anything
 */
export function policyViolations(preview: string): string[] {
  const [, section = ""] = /^Policies:\n((?:[ \t].*\n?)*)/m.exec(preview) ?? [];
  return section
    .split(/^ +- \[(?=mandatory|advisory|remediate)/m)
    .filter((each) => each.startsWith("mandatory]"))
    .map((each) => each.replace(/^mandatory\] +/, "").replaceAll(/^ {10}/gm, "").trim());
}
