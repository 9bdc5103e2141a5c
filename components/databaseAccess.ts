import * as pulumi from "@pulumi/pulumi";
import { Secret } from "@pulumi/kubernetes/core/v1";
import { RandomPassword } from "@pulumi/random";
import { inEachHome, type Homes } from "@bluegreen/release/homes";
import { names } from "@bluegreen/release/names";
import { DatabaseAccount } from "./steps";

export interface DatabaseAccessArgs {
  homes: Homes;
  /** PostgreSQL URL, as this program reaches the server, of a role that may create roles and databases. */
  adminUrl: string;
  /** HOST:PORT of the same server as pods reach it. */
  address: string;
  /** What has to be done before the database is touched. */
  after: pulumi.Resource[];
}

/** A database account of the app's own with a generated password, and the Secret that pods read it from, beside them. */
export class DatabaseAccess extends pulumi.ComponentResource {
  readonly secrets: Secret[];

  constructor(name: string, { homes, adminUrl, address, after }: DatabaseAccessArgs, options?: pulumi.ComponentResourceOptions) {
    super("bluegreen:app:DatabaseAccess", name, {}, options);
    // Named after the namespace: two stacks on one server never share an account.
    const account = homes.namespace.replaceAll("-", "_");
    const password = new RandomPassword(`${name}-database`, { length: 32, special: false }, { parent: this });
    const made = new DatabaseAccount(
      `${name}-database`,
      { adminUrl: pulumi.secret(adminUrl), name: account, password: password.result },
      { parent: this, dependsOn: after },
    );
    const stringData = {
      url: pulumi.interpolate`postgres://${account}:${password.result}@${address}/${account}`,
      "direct-url": password.result.apply((plain) => directUrl(adminUrl, account, plain)),
    };
    this.secrets = inEachHome(homes, `${name}-database`).map(
      ({ name: secret, namespace }) => new Secret(secret, { metadata: { name: names.databaseSecret, namespace }, stringData }, { parent: this, dependsOn: made }),
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
