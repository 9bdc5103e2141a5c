import { expect } from "chai";
import { connect, parseSettings } from "@bluegreen/release";
import { examineSecrets } from "@bluegreen/release/doctor/secrets";
import { startApiServer, type ApiServer } from "../support/apiServer";
import { someSettings } from "./recorder";

describe("The Secrets that doctor looks for", () => {
  let api: ApiServer;
  const kubeconfig = process.env["KUBECONFIG"];
  before(async () => {
    api = await startApiServer();
    process.env["KUBECONFIG"] = api.kubeconfig;
  });
  after(async () => {
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
    await api.close();
  });

  const missing = async (config: Record<string, string>) => {
    const settings = parseSettings({ ...someSettings, imagePullSecrets: '["registry"]', isolation: "namespaces", traffic: '{"mode":"route","route":"traefik"}', ...config });
    const findings = await examineSecrets(connect(settings), settings);
    return findings.map(({ says }) => /Secret (\S+\/registry) is not there/.exec(says)?.[1]).filter((name) => name !== undefined);
  };
  const ofColors = ["chatgpt-production-blue/registry", "chatgpt-production-green/registry"];

  it("are, for the watcher's image, also in the app's namespace, where the watcher is", async () => {
    expect(await missing({ watcherImage: "registry.example.com/watcher:1" })).to.have.members([...ofColors, "chatgpt-production/registry"]);
  });

  it("are in the colors' namespaces alone where there is no watcher", async () => {
    expect(await missing({})).to.have.members(ofColors);
  });

  it("are one where all is in one namespace", async () => {
    expect(await missing({ watcherImage: "registry.example.com/watcher:1", isolation: "shared" })).to.deep.equal(["chatgpt-production/registry"]);
  });
});
