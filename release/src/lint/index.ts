export { lint, type Finding, type SqlFile } from "./lint.js";
export { effects } from "./effects.js";
export { formatAsJson, formatForGithub, formatForPeople } from "./format.js";
export { rules } from "./registry.js";
export { allPhases, type Phase, type Rule } from "./rule.js";
export { rulesPage } from "./rulesPage.js";
export { kindsOf, unlisted, verdicts } from "./verdicts.js";
