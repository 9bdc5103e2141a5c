import { containerAnnotation, templateAnnotation } from "../../app/names.js";
import { UserError } from "../../util/userError.js";
import { repositoryOf } from "../images.js";
import { readPodTemplate } from "./podTemplateFile.js";
import type { PodTemplate } from "./podTemplateSchema.js";
import { applyTemplate, composeTemplates } from "./strategicMerge.js";
import { isFields, type Fields } from "../../util/fields.js";

/** The settings that a template is read by. */
export interface TemplateSettings {
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
