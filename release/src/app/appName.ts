import { UserError } from "../util/userError.js";

/**
 * The longest name of an app: with its color and 12 characters behind it, its objects and its database
 * sessions keep to 63.
 */
const appNameMax = 44;

/** Of Services, whose names begin with a letter. */
const form = new RegExp(`^(?=.{1,${appNameMax}}$)[a-z](?:[-a-z0-9]*[a-z0-9])?$`);

/**
 * Before anything is made: an app is called as its project is, or as a program calls it, and all its objects
 * after it.
 * @throws UserError when Kubernetes would refuse some of them
 */
export function requireAppName(app: string): void {
  if (form.test(app)) return;
  throw new UserError({
    code: "BG-APP-NAME-INVALID",
    what: `The app's name ${JSON.stringify(app)} was refused`,
    rule: `objects, labels and database sessions are called after it: lower-case letters, digits and '-', a letter first and no '-' last, at most ${appNameMax} characters`,
    next: "another name: in Pulumi.yaml, and in the program where that says it, too; keys of the stack's config begin with it",
  });
}
