import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { foreignWords, localWords } from "../../local/start/lastWords";
import type { Target } from "../../local/start/target";
import { linksIn } from "../start/support";

const links = { app: "http://127.0.0.1:40001/", dashboard: "http://127.0.0.1:40002/?token=secret" };

const target: Target = {
  namespacePerColor: false,
  home: { stack: "context-12ab", folder: "/home/ann's trials/pulumi" },
  env: { KUBECONFIG: "/home/ann's trials/kube config:/etc/$HOME" },
  context: "arn:aws:eks:eu-1:1:cluster/a b",
  namespace: "chatgpt-trial",
  imageRepository: "example.com/app",
  oldTag: "v1",
  newTag: "v2",
  databaseAdminUrl: "postgresql://admin:hunter2@db.example.com/postgres",
  databaseAddress: "db:5432",
  redisUrl: "redis://redis:6379",
};

describe("The last words of npm start", () => {
  it("begin with the links, and then say what to type", () => {
    expect(linksIn(localWords(links))).to.deep.equal(links);
    expect(
      localWords(links)
        .split("\n")
        .filter((line) => !line.startsWith(" ")),
    ).to.deep.equal(["Open in a browser:", "", "Type:"]);
  });

  it("leave out a link that does not work", () => {
    expect(localWords({ ...links, dashboard: null }))
      .to.include("the app")
      .and.not.include("the dashboard");
    expect(localWords({ app: null, dashboard: null }))
      .to.match(/^Type:\n/)
      .and.include("npm run bluegreen -- status");
  });

  it("say for a foreign cluster which commands open both, in words that a shell takes as they are meant", () => {
    const words = foreignWords(target);
    const typed = words.split("\n").filter((line) => line.startsWith("  export "));
    const script = `${typed.join("\n")}\nprintf '%s\\n' "$KUBECONFIG" "$PULUMI_BACKEND_URL" "$PULUMI_STACK"`;
    expect(execFileSync("sh", ["-c", script], { encoding: "utf8" }).trim().split("\n")).to.deep.equal([
      target.env["KUBECONFIG"],
      `file://${target.home.folder}`,
      "context-12ab",
    ]);
    expect(words)
      .to.include(
        "kubectl --context 'arn:aws:eks:eu-1:1:cluster/a b' --namespace chatgpt-trial port-forward service/chatgpt-app-service 8080:80",
      )
      .and.include("npm run bluegreen -- dashboard --stack context-12ab")
      .and.not.include("hunter2");
  });
});
