import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { containerAnnotation, templateAnnotation } from "../../app/names.js";
import { isFields, type Fields } from "../../util/json.js";
import { UserError } from "../../util/userError.js";
import { repositoryOf } from "../forms.js";
import { podTemplateRule, podTemplateSchema, type PodTemplate } from "./podTemplateSchema.js";
import { applyTemplate, composeTemplates } from "./strategicMerge.js";

/** The settings that a template is read by. */
interface TemplateSettings {
  /** Each over the one before. */
  podTemplates: PodTemplate[];
  podTemplateFile: string | undefined;
  container: string | undefined;
  imageRepository: string;
}

/** What the user says of pods. */
export interface UserTemplate {
  /** To be merged over the defaults. */
  patch: PodTemplate;
  /** Name of the app's container. */
  container: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Without what it removes. */
  spec: Fields;
}

/**
 * The template of a file, and over it those of code and config.
 * @throws UserError naming everything in it that is the release's
 */
export function readUserTemplate(app: string, settings: TemplateSettings): UserTemplate {
  const { podTemplates, podTemplateFile } = settings;
  const all =
    podTemplateFile === undefined ? podTemplates : [readPodTemplate(podTemplateFile), ...podTemplates];
  const patch = all.reduce<Fields>((below, above) => composeTemplates(below, above), {});
  const { metadata, spec } = applyTemplate({}, patch);
  const given = isFields(spec) ? spec : {};
  const [labels, annotations] = ["labels", "annotations"].map((name) =>
    isFields(metadata) && isFields(metadata[name]) ? (metadata[name] as Record<string, string>) : {},
  ) as [Record<string, string>, Record<string, string>];
  const container = appContainerName(app, settings, given, annotations[containerAnnotation]);
  const broken = [
    ...owned("metadata.labels.app", labels["app"], app),
    ...owned("metadata.labels.version", labels["version"]),
    ...owned(`metadata.annotations.${templateAnnotation}`, annotations[templateAnnotation]),
    ...owned(`metadata.annotations.${containerAnnotation}`, annotations[containerAnnotation], container),
  ];
  if (broken.length > 0) throw refusal(broken);
  return { patch, container, labels, annotations, spec: given };
}

/** Containers of a spec, or its init containers, of which sidecars are some. */
export function containersOf(spec: Fields, list: "containers" | "initContainers" = "containers"): Fields[] {
  const given = spec[list];
  return Array.isArray(given) ? given.filter(isFields) : [];
}

function owned(path: string, value: string | undefined, is?: string): string[] {
  return value === undefined || value === is
    ? []
    : [
        `${path} is ${JSON.stringify(value)}, and has to be ${is === undefined ? "left out" : `${JSON.stringify(is)}, or left out`}`,
      ];
}

/**
 * By config's word, by the annotation that kubectl goes by, by the app's name, by its image, and where there is
 * only one.
 */
function appContainerName(
  app: string,
  { container, imageRepository }: TemplateSettings,
  spec: Fields,
  annotated: string | undefined,
): string {
  const named = container ?? annotated;
  if (named !== undefined) return named;
  const given = containersOf(spec);
  const called = given.map(({ name }) => String(name));
  if (called.length === 0 || called.includes(app)) return app;
  const isOfApp = ({ image }: Fields) => typeof image === "string" && repositoryOf(image) === imageRepository;
  const candidates = given.filter(isOfApp);
  const [only] = candidates.length > 0 ? candidates : given.filter(({ image }) => image === undefined);
  if (only !== undefined && (candidates.length === 1 || given.length === 1)) return String(only["name"]);
  throw refusal([
    `containers are ${called.join(", ")}, and none of them is known as the app's: none is called ${app}, and not one of them has the image ${imageRepository}`,
    `pulumi config set container ${called[0] ?? app} says which one gets the app's image, or pulumi config set container ${app} that the app's comes beside them`,
  ]);
}

function refusal(broken: string[]): UserError {
  return new UserError({
    code: "BG-POD-TEMPLATE-INVALID",
    what: `podTemplate was refused: ${broken.join("; ")}`,
    rule: "labels app and version, the annotations of the release, and the image of the app's container are the release's",
    next: "correct podTemplate, or the file of podTemplateFile, then pulumi preview",
  });
}

/** The port of the app that the template names: the one called http, or the only one of the app's container. */
export function portIn({ spec, container }: UserTemplate): number | undefined {
  const ports = (each: Fields): Fields[] =>
    Array.isArray(each["ports"]) ? each["ports"].filter(isFields) : [];
  const all = [...containersOf(spec), ...containersOf(spec, "initContainers")].flatMap(ports);
  const own = containersOf(spec)
    .filter(({ name }) => name === container)
    .flatMap(ports);
  const tcp = own.filter(({ protocol }) => (protocol ?? "TCP") === "TCP");
  const found = all.find(({ name }) => name === "http") ?? (tcp.length === 1 ? tcp[0] : undefined);
  return typeof found?.["containerPort"] === "number" ? found["containerPort"] : undefined;
}

/**
 * The pod template of a file, from the folder of the program: YAML or JSON, and of several documents the one
 * that has one.
 * @throws UserError when there is no such file, or not one template in it
 */
function readPodTemplate(file: string): PodTemplate {
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
