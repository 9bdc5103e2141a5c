import * as pulumi from "@pulumi/pulumi";
import { Secret } from "@pulumi/kubernetes/core/v1";
import { RandomPassword } from "@pulumi/random";
import { names, appLabels } from "@bluegreen/release/app/names";
import { inEachNamespace } from "@bluegreen/release/app/color";
import type { AppSettings } from "./lateArgs";
import { resourceName } from "./resourceName";
import { databaseRelay } from "./databaseRelay";
import { stackName } from "./stackName";
import { makeStep, type ReleaseStep } from "./dynamicStep";

export interface DatabaseAccessArgs {
  settings: AppSettings;
  /** PostgreSQL URL, as this program reaches the server, of a role that may create roles and databases. */
  adminUrl: pulumi.Input<string>;
  /** HOST:PORT of the same server as pods reach it. */
  address: pulumi.Input<string>;
  /** What has to be done before the database is touched. */
  after: pulumi.Resource[];
  /** The same account in another cluster. It belongs to none of them, and so does what Pulumi calls it. */
  shared: DatabaseAccess | undefined;
}

/**
 * A database account of the app's own with a generated password, and the Secret that pods read it from,
 * beside them.
 */
export class DatabaseAccess extends pulumi.ComponentResource {
  readonly secrets: Secret[];
  private readonly password: RandomPassword;
  private readonly made: ReleaseStep<"databaseAccount">;

  constructor(
    name: string,
    { settings, adminUrl, address, after, shared }: DatabaseAccessArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("bluegreen:index:DatabaseAccess", resourceName(settings, name), {}, options);
    const { context, namespace, namespacePerColor, databaseSecret } = settings;
    // Whose it is stands on the server: two stacks may have namespaces of one name.
    const account = names.databaseAccount(namespace, name);
    this.password =
      shared?.password ??
      new RandomPassword(`${name}-database`, { length: 32, special: false }, { parent: this });
    this.made =
      shared?.made ??
      makeStep(
        "databaseAccount",
        name,
        {
          context,
          namespace,
          namespacePerColor,
          stack: stackName(),
          adminUrl: pulumi.secret(adminUrl),
          name: account,
          password: this.password.result,
          ...databaseRelay(name, settings),
        },
        { parent: this, dependsOn: after },
      );
    const { result } = this.password;
    const admin = pulumi.secret(adminUrl);
    const stringData = {
      url: pulumi.interpolate`postgres://${account}:${result}@${address}/${account}${admin.apply(encryptionOf)}`,
      "direct-url": pulumi.all([admin, result]).apply(([url, password]) => directUrl(url, account, password)),
    };
    this.secrets = inEachNamespace(settings, `${name}-database`).map(
      (at) =>
        new Secret(
          resourceName(settings, at.name),
          {
            metadata: { name: databaseSecret, namespace: at.namespace, labels: appLabels(name) },
            stringData,
          },
          { parent: this, dependsOn: [...after, this.made] },
        ),
    );
    this.registerOutputs();
  }
}

/**
 * How a client is to encrypt, and whom it is to trust. What says who the administrator is, a certificate and
 * its key, is no business of pods.
 */
const encryption = [
  "sslmode",
  "ssl",
  "sslnegotiation",
  "sslrootcert",
  "sslcrl",
  "sslcrldir",
  "sslsni",
  "ssl_min_protocol_version",
  "ssl_max_protocol_version",
  "channel_binding",
  "gssencmode",
  "uselibpqcompat",
];

/**
 * Pods encrypt as the administrator does: a server that asks for TLS would refuse them, and another one would
 * get their data in clear.
 */
function encryptionOf(adminUrl: string): string {
  const said = [...new URL(adminUrl).searchParams].filter(([name]) => encryption.includes(name));
  return said.length === 0 ? "" : `?${new URLSearchParams(said).toString()}`;
}

/**
 * The account's URL by the way the admin's URL goes: the migrations run where this program runs, not in a
 * pod.
 */
function directUrl(adminUrl: string, account: string, password: string): string {
  const url = new URL(adminUrl);
  url.username = account;
  url.password = password;
  url.pathname = `/${account}`;
  return url.href;
}
