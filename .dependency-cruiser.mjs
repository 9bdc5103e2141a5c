// Who may import whom: `npm run check` refuses the rest, docs/architecture.md shows it.

/**
 * The layers of release/src, lowest first. A folder imports only from rows before its own: so no two folders can
 * import each other, however far around.
 */
export const layers = [
  ["util"],
  ["app", "sql"],
  ["kubernetes", "lint"],
  ["routers", "postgres", "analysis"],
  ["config", "traffic"],
  ["state", "databases", "clusters", "freeze", "jobs"],
  ["relay"],
  ["migrations", "capacity", "drain", "workers"],
  ["replication", "alerts"],
  ["gates", "doctor"],
  ["rollback"],
  ["releases"],
  ["steps"],
];

/** What each part of the repository may import of the others. Nobody imports tests/. */
export const parts = {
  index: ["components", "release"],
  components: ["release"],
  release: [],
  app: [],
  examples: ["components", "release"],
  pages: ["release"],
  cli: ["release", "pages"],
  controller: ["release"],
  policy: ["release"],
  local: ["release", "components", "app", "cli", "pages"],
  docs: ["release", "components", "local"],
  bench: ["index", "release", "components", "cli", "pages", "local"],
  tests: [
    "index",
    "release",
    "components",
    "app",
    "examples",
    "cli",
    "pages",
    "policy",
    "controller",
    "local",
    "docs",
    "bench",
  ],
};

const all = Object.keys(parts);
const folderOf = (part) => (part === "index" ? "^index\\.ts$" : `^${part}/`);

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-circle",
      comment: "Files that import each other can only be read, tested and moved together.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    ...layers.flat().map((folder) => {
      const below = layers.slice(
        0,
        layers.findIndex((row) => row.includes(folder)),
      );
      return {
        name: `layer-${folder}`,
        comment: `release/src/${folder} imports only from ${below.flat().join(", ") || "nothing"}: the rows before it in "layers".`,
        severity: "error",
        from: { path: `^release/src/${folder}/` },
        to: { path: "^release/src/", pathNot: `^release/src/(${[folder, ...below.flat()].join("|")})/` },
      };
    }),
    {
      name: "layer-unknown",
      comment: "Every file of release/src has a layer, except its index, which imports from all of them.",
      severity: "error",
      from: { path: "^release/src/", pathNot: `^release/src/(index\\.ts$|(${layers.flat().join("|")})/)` },
      to: {},
    },
    ...all.map((part) => ({
      name: `part-${part}`,
      comment: `${part} imports only from ${parts[part].join(", ") || "nothing else of the repository"}. Production (all but docs, bench, tests and local itself) runs without local/ and tests/.`,
      severity: "error",
      from: { path: folderOf(part) },
      to: {
        path: all.map(folderOf),
        pathNot: [
          ...[part, ...parts[part]].map(folderOf),
          // Brings Node.js, packages and the build to a fresh checkout, for every command of the repository.
          "^local/bootstrap\\.mjs$",
        ],
      },
    })),
    {
      name: "pulumi-in-components",
      comment:
        "Only components and the program declare resources. cli and local drive Pulumi by its Automation API, policy by its policy SDK; release runs inside updates and knows nothing of Pulumi.",
      severity: "error",
      from: { path: "^(release|pages|controller|cli|local|policy)/" },
      to: {
        path: "/@pulumi/",
        pathNot: "/@pulumi/(pulumi/automation/|policy/)",
      },
    },
    {
      name: "no-automation-in-production",
      comment: "release, pages and the controller drive no Pulumi either.",
      severity: "error",
      from: { path: "^(release|pages|controller)/" },
      to: { path: "/@pulumi/" },
    },
    {
      name: "resolvable",
      comment: "An import that leads nowhere would pass every rule here.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    // Types, too: a circle of types is a circle to its reader.
    tsPreCompilationDeps: true,
    doNotFollow: { path: ["node_modules", "/dist/"] },
    // What tests write for a moment is not checked.
    exclude: { path: ["^docs/api/", "/\\.(suite|test)-"] },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
