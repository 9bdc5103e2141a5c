/** The providers of one run, by the URN of the provider resource that configures each. */
import { EngineError } from "../errors";
import { DYNAMIC_PACKAGE, nameOf, packageOf, parseProviderReference, typeOf } from "../urn";
import { type Props, reveal, type Value } from "../value";
import { DynamicProvider } from "./dynamic";
import { KubernetesProvider } from "./kubernetes";
import type { Provider } from "./provider";
import { RandomProvider } from "./random";

export interface RegistryOptions {
  /** The program's folder. */
  directory: string;
  env: Record<string, string>;
  /** Where provider code can reach the engine; known when the servers are up. */
  engineAddress(): string;
  /** The whole configuration, as dynamic providers get it. */
  config: Props;
  log: (line: string) => void;
}

const textOf = (value: Value | undefined): string | undefined => {
  const plain = value === undefined ? undefined : reveal(value);
  return typeof plain === "string" && plain !== "" ? plain : undefined;
};

export class ProviderRegistry {
  private readonly byUrn = new Map<string, Provider>();
  private dynamic: DynamicProvider | undefined;

  constructor(private readonly options: RegistryOptions) {}

  /** Makes the provider a provider resource describes. It replaces one made from older inputs. */
  configure(urn: string, inputs: Props): Provider {
    const provider = this.make(packageOf(typeOf(urn)), urn, inputs);
    this.byUrn.set(urn, provider);
    return provider;
  }

  /** The provider a resource names; `inputsOf` finds the inputs of one that is only in the state so far. */
  get(reference: string, inputsOf: (urn: string) => Props | undefined): Provider {
    const { urn } = parseProviderReference(reference);
    const known = this.byUrn.get(urn);
    if (known) return known;
    const inputs = inputsOf(urn);
    if (!inputs) throw new EngineError(`provider '${urn}' is not in the state; run refresh, or restore the state from a backup`);
    return this.configure(urn, inputs);
  }

  /** Starts what takes long, for packages that are going to be used. */
  warmUp(packages: ReadonlySet<string>): void {
    if (packages.has(DYNAMIC_PACKAGE)) this.dynamicProvider().warmUp();
  }

  async close(): Promise<void> {
    await this.dynamic?.close();
  }

  private dynamicProvider(): DynamicProvider {
    const { directory, env, config, log } = this.options;
    this.dynamic ??= new DynamicProvider({ directory, env, config, log, engineAddress: this.options.engineAddress() });
    return this.dynamic;
  }

  private make(name: string, urn: string, inputs: Props): Provider {
    switch (name) {
      case DYNAMIC_PACKAGE:
        return this.dynamicProvider();
      case "random":
        return new RandomProvider();
      case "kubernetes":
        return this.kubernetes(inputs);
      default:
        throw new EngineError(`package '${name}' (provider ${nameOf(urn)}) is not covered by the stand-in engine, which knows kubernetes, random and dynamic resources; install the Pulumi CLI`);
    }
  }

  private kubernetes(inputs: Props): Provider {
    const { env } = this.options;
    const flag = (key: string, variable: string): boolean => inputs[key] === true || (textOf(inputs[key]) ?? env[variable]) === "true";
    const provider = new KubernetesProvider({
      cluster: { kubeconfig: textOf(inputs["kubeconfig"]), context: textOf(inputs["context"]), env },
      namespace: textOf(inputs["namespace"]),
      mutable: {
        secrets: flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        configMaps: flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
      },
      patchForce: flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
      upsert: flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
    });
    provider.warmUp();
    return provider;
  }
}
