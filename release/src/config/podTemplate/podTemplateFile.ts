import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { UserError } from "../../util/userError.js";
import { podTemplateRule, podTemplateSchema, type PodTemplate } from "./podTemplateSchema.js";
import { isFields } from "../../util/fields.js";

/**
 * The pod template of a file, from the folder of the program: YAML or JSON, and of several documents the one
 * that has one.
 * @throws UserError when there is no such file, or not one template in it
 */
export function readPodTemplate(file: string): PodTemplate {
  const refuse = (rule: string): UserError =>
    new UserError({
      code: "BG-POD-TEMPLATE-INVALID",
      what: `podTemplateFile ${JSON.stringify(file)} was refused`,
      rule,
      next: "correct the file, then pulumi preview",
    });
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw refuse("it cannot be read: its path starts in the folder of the program");
  }
  const documents = [...parseAllDocuments(text)];
  const wrong = documents.flatMap(({ errors }) => errors)[0];
  if (wrong !== undefined) throw refuse(wrong.message);
  const manifests = documents.map((each) => each.toJS() as unknown).filter((each) => each !== null);
  const templates = manifests.filter(
    (each) => !isFields(each) || each["kind"] === undefined || isTemplateKind(each["kind"]),
  );
  const [only] = templates;
  if (only === undefined || templates.length > 1)
    throw refuse(
      `it has ${templates.length} manifests with a pod template, of a Deployment or without a kind, and one is needed`,
    );
  const { success, data, error } = podTemplateSchema.safeParse(only);
  if (success) return data;
  const at = [...new Set(error.issues.map(({ path }) => path.map(String).join(".") || "the whole"))];
  throw refuse(`${at.join(" and ")}: ${podTemplateRule}`);
}

function isTemplateKind(kind: unknown): boolean {
  return kind === "Deployment" || kind === "PodTemplate" || kind === "Pod";
}
