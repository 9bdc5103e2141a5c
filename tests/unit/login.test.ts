import { writeFile } from "node:fs/promises";
import { expect } from "chai";
import { connect } from "@bluegreen/release";
import { KubeConfig } from "@bluegreen/release/kubernetes/client";
import { patience } from "@bluegreen/release/kubernetes/cluster";
import { mayPass } from "@bluegreen/release/util/mayPass";
import { startApiServer, type ApiServer } from "../support/apiServer";

/** Simulated: the API server. Real: the kubeconfig, and the command that it logs in by. */
describe("The login command of a kubeconfig", () => {
  const { loginMs } = patience;
  const before = process.env["KUBECONFIG"];
  let api: ApiServer;

  beforeEach(async () => {
    api = await startApiServer();
    process.env["KUBECONFIG"] = api.kubeconfig;
  });
  afterEach(async () => {
    patience.loginMs = loginMs;
    if (before === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = before;
    await api.close();
  });

  /** What a first call says whose user logs in by a shell command. */
  const firstCall = async (command: string): Promise<unknown> => {
    const config = new KubeConfig();
    config.loadFromFile(api.kubeconfig);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", command] };
    config.users = config.users.map((user) => ({ ...user, exec }));
    await writeFile(api.kubeconfig, config.exportConfig());
    const { core } = connect({ context: "", namespace: "shop", namespacePerColor: false });
    return core.listNamespacedPod({ namespace: "shop" }).catch((error: unknown) => error);
  };

  it("lets a call continue with the token that it prints", async () => {
    const answer = await firstCall(`echo '{"status":{"token":"t0ken"}}'`);
    expect(answer).to.have.property("items");
  });

  it("ends when it hangs, whatever it has started, as an answer that did not come", async () => {
    patience.loginMs = 300;
    const error = await firstCall("sleep 600 & wait");
    expect(error)
      .to.be.instanceOf(Error)
      .with.property("message")
      .match(/login command .* sh, .* 0\.3 s/);
    expect(mayPass(error), "a later call may be answered").to.equal(true);
  });

  it("is named when it fails, with what it says, and the command that shows it", async () => {
    const error = await firstCall("echo 'the session has expired' >&2; exit 1");
    expect(error)
      .to.be.instanceOf(Error)
      .with.property("message")
      .match(
        /User user-test .*not logged in\n.*the session has expired\n.*kubectl --context test get namespaces/,
      );
    expect(mayPass(error)).to.equal(false);
  });

  it("is named when it fails and says nothing, or is not there", async () => {
    expect(await firstCall("exit 3"))
      .property("message")
      .match(/without a reason/);
  });
});
