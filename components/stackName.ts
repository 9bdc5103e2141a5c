import * as pulumi from "@pulumi/pulumi";

/** The stack that runs, as no other one of a backend is called: with organization and project. */
export function stackName(): string {
  return `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
}
