import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, link, mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { keepDefinitions } from "../edge/definitions";
import { cacheDir } from "../paths";
import { withLock } from "../system/lock";
import { build, type Program } from "./build";
import { embedSchema } from "./kubernetesProvider";
import { overlaidFolder, type Overlay } from "./overlay";

const kubernetesVersion = "1.37.2";
const [kubernetesMajor = "", kubernetesMinor = ""] = kubernetesVersion.split(".");

// Without these the components take themselves for v0.0.0 and refuse to work with each other.
const kubernetesVersionFlags = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap(
  (variables) => [
    `-X ${variables}.gitVersion=v${kubernetesVersion}`,
    `-X ${variables}.gitMajor=${kubernetesMajor}`,
    `-X ${variables}.gitMinor=${kubernetesMinor}`,
  ],
);

const pulumiVersion = "3.274.1";
const kubernetesProviderVersion = "4.25.0";
const randomProviderVersion = "4.21.2";

/**
 * What only `pulumi api` needs, of cmd/pulumi/cloud: it takes two minutes to compile a reader of OpenAPI
 * documents for it.
 */
const apiCommand = [
  "cli_command_hints",
  "describe",
  "describe_markdown",
  "encoding",
  "fields",
  "format",
  "list",
  "output",
  "paginate",
  "pathmatch",
  "schema",
  "spec",
  "spec_fetch",
];

/**
 * Without `pulumi api` and the three clouds: their SDKs for state backends, key services and `pulumi env
 * setup`.
 */
const pulumiOverlays: Overlay[] = [
  {
    module: "github.com/pulumi/pulumi/pkg/v3",
    leftOut: [
      "authhelpers",
      "cloudsetup",
      ...["aws", "azure", "gcp"].map((cloud) => `cmd/esc/cli/setup_${cloud}.go`),
      ...apiCommand.map((file) => `cmd/pulumi/cloud/${file}.go`),
      "secrets/cloud",
    ],
  },
  { module: "gocloud.dev", leftOut: ["blob/azureblob", "blob/gcsblob", "blob/s3blob"] },
  { module: "github.com/aws/aws-sdk-go-v2/service/s3", leftOut: "all" },
];

/**
 * Without Helm, Kustomize, packages of custom resource definitions, and components, which need the provider's
 * generated SDK for Go.
 */
const kubernetesProviderOverlay: Overlay = {
  module: "github.com/pulumi/pulumi-kubernetes/provider/v4",
  leftOut: [
    ...["dotnet", "overlays", "schema", "strings", "typegen", "types"].map((file) => `pkg/gen/${file}.go`),
    "pkg/helm",
    ...["helm", "kustomize", "manifest_json.go", "resource", "yaml"].map((path) => `pkg/provider/${path}`),
  ],
};

/** Without what only components need, and all of the SDK for Go with it. */
const sdkOverlay: Overlay = {
  module: "github.com/pulumi/pulumi/sdk/v3",
  leftOut: ["go/pulumi/provider/component_provider.go", "go/pulumi/provider/provider.go"],
};

/**
 * Version 4 in terms of version 6: the provider was written for an older Kubernetes than the one of this
 * build.
 */
const mergeDiffOverlay: Overlay = { module: "sigs.k8s.io/structured-merge-diff/v4", leftOut: "all" };

/** The module that most programs share: what one of them has compiled the next finds in Go's build cache. */
const shared = ".";

const kubernetes: Program = {
  name: "kubernetes",
  module: shared,
  sources: ["kubernetes"],
  packages: ["./kubernetes"],
  linked: kubernetesVersionFlags,
  duration: "about 10 minutes on 2 cores, once",
};

const containers: Program = {
  name: "containers",
  module: shared,
  sources: [],
  packages: [
    "github.com/containerd/containerd/v2/cmd/containerd",
    "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
    "github.com/containerd/containerd/v2/cmd/ctr",
    "github.com/containernetworking/plugins/plugins/ipam/host-local",
    "github.com/containernetworking/plugins/plugins/main/loopback",
    "github.com/containernetworking/plugins/plugins/main/ptp",
  ],
  flags: ["-tags", "no_btrfs,no_devmapper,no_zfs"],
  duration: "about a minute, once",
};

const supervisor: Program = {
  name: "supervisor",
  module: "supervisor",
  sources: ["."],
  packages: [".", "./pause"],
  duration: "a few seconds, once",
};

const edge: Program = {
  name: "edge",
  module: "edge",
  sources: ["."],
  packages: ["tool"],
  duration: "about 6 minutes on 2 cores, once",
  // lego is for certificates that nobody issues on a stage.
  overlays: [{ module: "github.com/go-acme/lego/v5", leftOut: ["cmd", "e2e", "main.go", "providers"] }],
  prepare: keepDefinitions,
};

const simulated: Program = {
  name: "simulated",
  module: "simulated",
  sources: ["."],
  packages: ["tool"],
  duration: "about 2 minutes on 2 cores, once",
};

const metrics: Program = {
  name: "metrics",
  module: shared,
  sources: [],
  packages: ["sigs.k8s.io/metrics-server/cmd/metrics-server"],
  duration: "less than a minute after Kubernetes, once",
};

/** What reads workflows as GitHub does; for tests. */
const actionlint: Program = {
  name: "actionlint",
  module: "actionlint",
  sources: ["."],
  packages: ["tool"],
  duration: "less than a minute, once",
};

/** Kubernetes' own command line, of the same version, for tests of what the documentation says to type. */
const kubectl: Program = {
  name: "kubectl",
  module: shared,
  sources: ["kubectl"],
  packages: ["./kubectl"],
  linked: kubernetesVersionFlags,
  duration: "about a minute, once",
};

const pulumi: Program = {
  name: "pulumi",
  module: shared,
  sources: ["leftout"],
  packages: ["github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
  linked: [`-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${pulumiVersion}`],
  duration: "about 4 minutes on 2 cores, once",
  overlays: pulumiOverlays,
};

const kubernetesProvider: Program = {
  name: "pulumi-resource-kubernetes",
  module: shared,
  sources: ["leftout"],
  packages: ["github.com/pulumi/pulumi-kubernetes/provider/v4/cmd/pulumi-resource-kubernetes"],
  linked: [
    `-X github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version=${kubernetesProviderVersion}`,
  ],
  duration: "about 3 minutes on 2 cores, once",
  overlays: [...pulumiOverlays, sdkOverlay, kubernetesProviderOverlay, mergeDiffOverlay],
  prepare: async (module) =>
    embedSchema(overlaidFolder(module, kubernetesProviderOverlay.module), kubernetesProviderVersion),
};

const languageHost: Program = {
  name: "pulumi-language-nodejs",
  module: shared,
  sources: ["pluginmain", "pulumi-language-nodejs"],
  packages: ["./pulumi-language-nodejs"],
  duration: "half a minute, once",
};

const randomProvider: Program = {
  name: "pulumi-resource-random",
  module: shared,
  sources: ["pluginmain", "pulumi-resource-random"],
  packages: ["./pulumi-resource-random"],
  duration: "half a minute, once",
};

/** The provider of dynamic resources is a script. */
const dynamicProvider = join(__dirname, "pulumi-resource-pulumi-nodejs", "pulumi-resource-pulumi-nodejs");

/** Folders of the built programs. */
export interface Programs {
  kubernetes: string;
  containers: string;
  supervisor: string;
}

/** Builds what is not built yet and returns the folders with the programs. */
export async function buildPrograms(progress: (text: string) => void): Promise<Programs> {
  // One after the other: each build uses every core.
  return {
    supervisor: await build(supervisor, progress),
    containers: await build(containers, progress),
    kubernetes: await build(kubernetes, progress),
  };
}

/**
 * Builds Pulumi's command line, its language host for Node.js and the providers that the repository uses,
 * and returns a folder with them in the places of an official installation.
 */
export async function buildPulumi(progress: (text: string) => void): Promise<string> {
  const places: [program: Program, place: string][] = [
    [pulumi, join("bin", "pulumi")],
    [languageHost, join("bin", "pulumi-language-nodejs")],
    [randomProvider, join("plugins", `resource-random-v${randomProviderVersion}`, "pulumi-resource-random")],
    [
      kubernetesProvider,
      join("plugins", `resource-kubernetes-v${kubernetesProviderVersion}`, "pulumi-resource-kubernetes"),
    ],
  ];
  const files: [file: string, place: string][] = [[dynamicProvider, join("bin", basename(dynamicProvider))]];
  for (const [program, place] of places)
    files.push([join(await build(program, progress), basename(place)), place]);
  // Not by where the script lies: all checkouts share the folder that its path leads to.
  const built = files.filter(([file]) => file !== dynamicProvider);
  const key = createHash("sha256")
    .update(JSON.stringify(built))
    .update(await readFile(dynamicProvider))
    .digest("hex")
    .slice(0, 16);
  const folder = join(cacheDir(), "programs", `pulumi-home-${key}`);
  if (existsSync(folder)) return folder;
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    const temporary = `${folder}.new`;
    await rm(temporary, { recursive: true, force: true });
    for (const [file, place] of files) {
      const placed = join(temporary, place);
      await mkdir(dirname(placed), { recursive: true });
      if (file === dynamicProvider) await copyFile(file, placed);
      // The command line looks for its language hosts beside itself, where no symbolic link leads.
      else await link(file, placed);
    }
    await rename(temporary, folder);
  });
  return folder;
}

/**
 * Builds the edge if it is not built yet and returns its folder. Apart from the others: few need it, and it
 * takes its time.
 */
export async function buildEdge(progress: (text: string) => void): Promise<string> {
  return build(edge, progress);
}

/** The same for what keeps simulated nodes: a stage starts without. */
export async function buildSimulated(progress: (text: string) => void): Promise<string> {
  return build(simulated, progress);
}

/** Builds metrics-server if it is not built yet and returns its folder. */
export async function buildMetrics(progress: (text: string) => void): Promise<string> {
  return build(metrics, progress);
}

/** Builds actionlint if it is not built yet and returns its folder. */
export async function buildActionlint(progress: (text: string) => void): Promise<string> {
  return build(actionlint, progress);
}

/** Builds kubectl if it is not built yet and returns its folder. */
export async function buildKubectl(progress: (text: string) => void): Promise<string> {
  return build(kubectl, progress);
}
