export { lint, type Finding, type SqlFile } from "./lint.js";
export { effects } from "./effects.js";
export { formatAsJson, formatForGithub, formatForPeople, type Style } from "./format.js";
export { fileRules, rules } from "./registry.js";
export { allPhases, type Phase, type Rule } from "./rule.js";
export { rulesPage } from "./rulesPage.js";
export { kindsOf, unlisted, verdicts } from "./verdicts.js";
