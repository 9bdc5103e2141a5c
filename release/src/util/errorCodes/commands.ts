import type { ErrorTexts } from "./errorText.js";

/** What somebody has typed or configured, and the program that it is for. */
export const commandErrors = {
  "BG-ANSWER-MISSING": {
    cause: "A required answer was not given as an option, and there is no terminal to ask at.",
    remedy: "Repeat the command with the options that the message names.",
  },
  "BG-APP-NAME-INVALID": {
    cause: "Kubernetes would refuse objects with this app name.",
    remedy: "Use lower-case letters, digits and hyphens, as the message says.",
  },
  "BG-CONFIG-INVALID": {
    cause: "Settings or arguments break their rules; the message lists all of them.",
    remedy: "Correct them; rules and examples are in [Settings](settings.md).",
  },
  "BG-CONFIG-NOT-LIVE": {
    cause: "The configured active color is not the one that gets traffic in the cluster.",
    remedy: "Set `activeColor` to the live color and run `pulumi up`, then repeat the command.",
  },
  "BG-FILE-NOT-WRITTEN": {
    cause: "A file exists already, cannot be written, or would have a name that is not allowed.",
    remedy: "Do what the message says, then repeat the command.",
  },
  "BG-LOAD-FAILED": {
    cause: "The load generator did not start, or ended before its first request.",
    remedy: "Read its log and events with the command of the message.",
  },
  "BG-NOT-ADOPTABLE": {
    cause: "`bluegreen init --from` found no Deployment, several, or one that two colors cannot run.",
    remedy: "Do what the message says: name the Deployment, or change what it names.",
  },
  "BG-NOT-CONFIRMED": {
    cause: "The question was not answered with yes, or there is no terminal to ask at.",
    remedy: "Repeat the command and answer yes, or give `--yes`.",
  },
  "BG-OPTION-INVALID": {
    cause: "An option or argument of a command has a value that is not allowed, alone or with another one.",
    remedy: "Give what the message shows; `--help` lists the options.",
  },
  "BG-PATH-NOT-FOUND": {
    cause: "A file or folder does not exist, or is not a migration.",
    remedy: "Correct the path.",
  },
  "BG-PLAN-OUTDATED": {
    cause: "The stack's config was changed after the plan was shown.",
    remedy: "Repeat the command, which shows the plan of the config as it is now.",
  },
  "BG-PLAN-REFUSED": {
    cause: "The preview refuses the change; config is as before.",
    remedy: "Do what the reason above the message says, then repeat the command.",
  },
  "BG-POD-TEMPLATE-INVALID": {
    cause:
      "`podTemplate`, or the file of `podTemplateFile`, is no pod template, or says what is the release's to say.",
    remedy: "Correct what the message names; the rules are in [Pod template](../guides/pod-template.md).",
  },
  "BG-PORT-NOT-AVAILABLE": {
    cause: "The dashboard cannot listen on this port.",
    remedy: "Choose another one; `--port 0` takes a free one.",
  },
  "BG-PROGRAM-NOT-FOUND": {
    cause: "The current folder has no Pulumi.yaml.",
    remedy: "Change to the folder of the program.",
  },
  "BG-PULUMI-FAILED": {
    cause: "Pulumi failed before it changed anything; the message quotes it.",
    remedy: "Do what Pulumi says, then repeat the command.",
  },
  "BG-PULUMI-INSTALL-FAILED": {
    cause: "The download of Pulumi by npm failed.",
    remedy: "Check the network, or unset the variable of the message: Pulumi is built from Go modules then.",
  },
  "BG-PULUMI-NOT-FOUND": {
    cause: "There is no pulumi on PATH.",
    remedy: "Start the command by `npm run bluegreen`, which brings one, or install Pulumi.",
  },
  "BG-STACK-LOCKED": {
    cause: "Pulumi's backend holds the stack for another update, or for one that was killed.",
    remedy: "Wait for its end; if it was killed, `pulumi cancel`, then repeat the command.",
  },
  "BG-STACK-NOT-FOUND": {
    cause: "There is no stack of this name, or this folder has no config file of it.",
    remedy: "Take one that `pulumi stack ls` shows, or create one: `npm run bluegreen -- init NAME`.",
  },
  "BG-STACK-NOT-SELECTED": {
    cause: "No stack was named, and Pulumi has none selected.",
    remedy: "Run `pulumi stack select NAME`, or give `--stack NAME`.",
  },
  "BG-TAG-NOT-FOUND": {
    cause: "No color is configured with this tag.",
    remedy: "Deploy it first: `npm run bluegreen -- deploy TAG`.",
  },
  "BG-VARIABLE-INVALID": {
    cause: "An environment variable is not set, or has a value that is not allowed.",
    remedy: "Set or unset it, as the message says.",
  },
} as const satisfies ErrorTexts;
