/** What `pulumi config set --secret` asks for. */
const secrets: Record<string, string> = {
  databaseAdminUrl: "postgres://admin:docs@db.example.com:5432/postgres",
  "alerts.slackUrl": "https://hooks.slack.com/services/T0/B0/docs",
  "alerts.webhookUrl": "https://alerts.example.com/bluegreen",
  "alerts.webhookSecret": "0123456789abcdef0123456789abcdef",
  "alerts.pagerDutyKey": "0123456789abcdef0123456789abcdef",
  "green.secretEnv.PAYMENT_TOKEN": "docs",
};

/**
 * A command of the documentation for a shell that nobody sits at: with what a person would answer.
 * @param init what `init` asks for, as options
 */
export function asTyped(command: string, init: string): string {
  return (
    command
      // The checkout has this repository's packages, and the images are there.
      .replace(/^(?:npm ci|docker .*)$/, ": $&")
      // 1: what is missing after it, the next steps of the page bring.
      .replace(/^npm run bluegreen -- init production$/, `$& ${init} || test $? = 1`)
      // 1: something needs attention, as at night.
      .replace(/^npm run bluegreen -- status --stack production$/, "$& || test $? = 1")
      // A day later.
      .replace(/^npm run bluegreen -- scale-down$/, "$& --now")
      .replace(/^(?:pulumi up|npm run bluegreen -- (?:deploy|switch|rollback|scale-down)).*$/, "$& --yes")
      .replace(
        /^pulumi config set --secret (?:--path )?([\w.]+)$/,
        (all, key: string) => `${all} <<< ${secrets[key] ?? ""}`,
      )
  );
}
