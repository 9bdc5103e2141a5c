import { expect } from "chai";
import { connect, type LiveLockInputs } from "@bluegreen/release";
import { liveLock } from "@bluegreen/release/releases/liveLock";
import { allOn } from "@bluegreen/release/routers/weights";
import { endRelease } from "@bluegreen/release/state/releaseLock";
import { startApiServer, type ApiServer } from "../support/apiServer";

/** On a simulated API server, which tells the order of requests, and refuses one of them. */
describe("The live lock after an update that was killed in its preflight pod", () => {
  const app = "chatgpt-app";
  const kubeconfig = process.env["KUBECONFIG"];
  const left = `pods/${app}-blue-preflight`;
  const inputs: LiveLockInputs = {
    context: "",
    namespace: "shop",
    namespacePerColor: false,
    app,
    together: null,
    activeColor: "blue",
    weights: allOn("blue"),
    route: null,
    templates: { blue: "aaa", green: null },
    configs: { blue: [], green: [] },
    allowInPlaceUpdate: false,
    lockWaitSeconds: 0,
  };
  let api: ApiServer;
  let requests: string[];
  beforeEach(async () => {
    api = await startApiServer();
    process.env["KUBECONFIG"] = api.kubeconfig;
    requests = [];
    api.meddle = (request) => {
      requests.push(request);
      return undefined;
    };
    api.objects.set(`services/${app}-service`, { spec: { selector: { app, version: "blue" } } });
    addPod(left, app);
  });
  afterEach(async () => {
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
    await api.close();
  });

  const addPod = (key: string, of: string, deletionTimestamp?: string) => {
    const metadata = {
      name: key.replace("pods/", ""),
      namespace: "shop",
      labels: { "bluegreen.dev/preflight": of },
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    };
    api.objects.set(key, { metadata });
  };
  const pods = () => [...api.objects.keys()].filter((key) => key.startsWith("pods/"));
  const isNeeded = () => liveLock.isNeeded({ ...inputs, namespaceUid: "" }, inputs);
  const run = async () => {
    const said: string[] = [];
    const { release } = await liveLock.run(inputs, (line) => said.push(line));
    await endRelease(connect(inputs), app, release);
    return { said, release };
  };

  it("removes that pod once it is held, where config has no preflight any more", async () => {
    expect(await isNeeded()).to.equal(true);
    await run();
    expect(pods()).to.deep.equal([]);
    const taken = requests.findIndex((request) => /^(POST|PUT) leases/.test(request));
    expect(taken).to.be.greaterThan(-1);
    expect(
      requests.indexOf(`DELETE ${left}`),
      "another update may be trying it out until then",
    ).to.be.greaterThan(taken);
    expect(await isNeeded()).to.equal(false);
  });

  it("leaves the pod of another app in the same namespace", async () => {
    api.objects.delete(left);
    addPod("pods/shop-blue-preflight", "shop");
    expect(await isNeeded()).to.equal(false);
    await run();
    expect(pods()).to.deep.equal(["pods/shop-blue-preflight"]);
  });

  it("does not wait for one that is ending, as on a node that is gone", async () => {
    addPod(left, app, "2026-01-02T03:04:05Z");
    expect(await isNeeded()).to.equal(false);
    await run();
    expect(pods()).to.deep.equal([left]);
  });

  it("is taken where it may not remove the pod, and says so: a rollback does not wait for that", async () => {
    api.meddle = (request) => (request.startsWith("DELETE") ? 403 : undefined);
    const { said, release } = await run();
    expect(release).not.to.equal("");
    expect(said.join("\n"))
      .to.contain(`A preflight pod of ${app} could not be removed`)
      .and.contain("HTTP 403");
  });
});
