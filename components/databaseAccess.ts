import * as pulumi from "@pulumi/pulumi";
import { Secret } from "@pulumi/kubernetes/core/v1";
import { RandomPassword } from "@pulumi/random";
import { inEachHome } from "@bluegreen/release/homes";
import { names } from "@bluegreen/release/names";
import type { Settings } from "@bluegreen/release/settings/settings";
import { resourceName } from "./resourceName";
import { DatabaseAccount } from "./steps";

export interface DatabaseAccessArgs {
  settings: Settings;
  /** PostgreSQL URL, as this program reaches the server, of a role that may create roles and databases. */
  adminUrl: string;
  /** HOST:PORT of the same server as pods reach it. */
  address: string;
  /** What has to be done before the database is touched. */
  after: pulumi.Resource[];
  /** The same account in another cluster. It belongs to none of them, and so does what Pulumi calls it. */
  shared: DatabaseAccess | undefined;
}

/** A database account of the app's own with a generated password, and the Secret that pods read it from, beside them. */
export class DatabaseAccess extends pulumi.ComponentResource {
  readonly secrets: Secret[];
  private readonly password: RandomPassword;
  private readonly made: DatabaseAccount;

  constructor(name: string, { settings, adminUrl, address, after, shared }: DatabaseAccessArgs, options?: pulumi.ComponentResourceOptions) {
    super("bluegreen:app:DatabaseAccess", resourceName(settings, name), {}, options);
    // Named after the namespace: two stacks on one server never share an account.
    const account = settings.namespace.replaceAll("-", "_");
    this.password = shared?.password ?? new RandomPassword(`${name}-database`, { length: 32, special: false }, { parent: this });
    this.made =
      shared?.made ??
      new DatabaseAccount(`${name}-database`, { adminUrl: pulumi.secret(adminUrl), name: account, password: this.password.result }, { parent: this, dependsOn: after });
    const { result } = this.password;
    const stringData = {
      url: pulumi.interpolate`postgres://${account}:${result}@${address}/${account}`,
      "direct-url": result.apply((plain) => directUrl(adminUrl, account, plain)),
    };
    this.secrets = inEachHome(settings, `${name}-database`).map(
      ({ name: secret, namespace }) => new Secret(resourceName(settings, secret), { metadata: { name: names.databaseSecret, namespace }, stringData }, { parent: this, dependsOn: [...after, this.made] }),
    );
    this.registerOutputs();
  }
}

/** The account's URL by the way the admin's URL goes: the migrations run where this program runs, not in a pod. */
function directUrl(adminUrl: string, account: string, password: string): string {
  const url = new URL(adminUrl);
  url.username = account;
  url.password = password;
  url.pathname = `/${account}`;
  return url.href;
}
