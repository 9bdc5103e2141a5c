import { expect } from "chai";
import { connect, type LiveLockInputs } from "@bluegreen/release";
import { dynamicProvider } from "@bluegreen/release/provider";
import { sharingReads } from "@bluegreen/release/kubernetes/sharedReads";
import { allOn } from "@bluegreen/release/routers/weights";
import { startApiServer, type ApiServer } from "../support/apiServer";

/** On a simulated API server, which counts what it is asked. */
describe("Reads of the same object", () => {
  const app = "shop";
  const service = `services/${app}-service`;
  const kubeconfig = process.env["KUBECONFIG"];
  const where = { context: "", namespace: "shop", namespacePerColor: false };
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
    show("blue");
  });
  afterEach(async () => {
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
    await api.close();
  });

  const show = (version: string) => {
    api.objects.set(service, { metadata: { name: `${app}-service` }, spec: { selector: { app, version } } });
  };
  const read = async () => {
    const { core } = connect(where);
    const found = await core.readNamespacedService({ name: `${app}-service`, namespace: "shop" });
    return found.spec?.selector?.["version"];
  };
  const patch = () =>
    connect(where).core.patchNamespacedService({
      name: `${app}-service`,
      namespace: "shop",
      body: [{ op: "add", path: "/metadata/labels", value: { seen: "yes" } }],
    });

  it("are one from the check of a step to its diff, and none is kept for what it does then", async () => {
    const inputs: LiveLockInputs = {
      ...where,
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
    const step = dynamicProvider("liveLock");
    const { failures } = await step.check(undefined, inputs);
    expect(failures).to.deep.equal([]);
    await step.diff("liveLock", { ...inputs, namespaceUid: "" }, inputs);
    expect(requests.length).to.be.greaterThan(2);
    expect(requests.toSorted()).to.deep.equal([...new Set(requests)].toSorted());
    requests.length = 0;
    await step.create(inputs);
    expect(requests).to.include(`GET ${service}`);
  });

  it("are one beside each other", async () => {
    const seen = await sharingReads(new Map(), () => Promise.all([read(), read()]));
    expect(seen).to.deep.equal(["blue", "blue"]);
    expect(requests).to.have.length(1);
  });

  it("are two where something was written in between", async () => {
    const seen = await sharingReads(new Map(), async () => {
      const first = await read();
      show("green");
      await patch();
      return [first, await read()];
    });
    expect(seen).to.deep.equal(["blue", "green"]);
  });

  it("are two where the first came while something was being written", async () => {
    const seen = await sharingReads(new Map(), async () => {
      const written = patch();
      const first = await read();
      await written;
      show("green");
      return [first, await read()];
    });
    expect(seen).to.deep.equal(["blue", "green"]);
  });

  it("are two where the server could not answer the first", async () => {
    const seen = await sharingReads(new Map(), async () => {
      api.trouble = 503;
      const first = await read().catch(() => "unanswered");
      api.trouble = undefined;
      return [first, await read()];
    });
    expect(seen).to.deep.equal(["unanswered", "blue"]);
  });

  it("are two where whoever waits for a change asks again and again", async () => {
    await sharingReads(new Map(), async () => {
      await read();
      show("green");
      while ((await read()) !== "green") await new Promise(setImmediate);
    });
    expect(requests).to.have.length(2);
  });

  it("are two where the first got no answer", async () => {
    const seen = await sharingReads(new Map(), async () => {
      api.trouble = "lost";
      const first = await read().catch(() => "unanswered");
      api.trouble = undefined;
      return [first, await read()];
    });
    expect(seen).to.deep.equal(["unanswered", "blue"]);
  });
});
