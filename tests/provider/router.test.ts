import { expect } from "chai";
import { NetworkingV1Api } from "@bluegreen/release/kubernetes/client";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

describe("The router and the cluster's IngressClass, in Pulumi's provider process and on a real cluster", function () {
  let test: TestNamespace;
  let gate: RunningStep;
  before(async () => {
    test = await makeNamespace();
    gate = await startStep("routerGate", { KUBECONFIG: test.stage.kubeconfig });
  });
  after(async () => {
    const { items } = await classes().listIngressClass();
    for (const { metadata } of items)
      if (metadata?.name?.startsWith(test.namespace) === true)
        await classes().deleteIngressClass({ name: metadata.name });
    await gate.close();
    await test.remove();
  });

  const classes = () => test.cluster.config.makeApiClient(NetworkingV1Api);
  const asked = (ingressClass: string, router = "nginx") => ({
    ...test.where,
    activeColor: "blue",
    template: "abc",
    router,
    ingressClass,
  });
  const make = async (name: string, controller: string) => {
    const whole = `${test.namespace}-${name}`;
    await classes().createIngressClass({ body: { metadata: { name: whole }, spec: { controller } } });
    return whole;
  };

  it("pass where the class is read by the router's controller, or is not there", async () => {
    expect(await gate.check(asked(await make("nginx", "k8s.io/ingress-nginx")))).to.deep.equal([]);
    expect(await gate.check(asked(`${test.namespace}-none`))).to.deep.equal([]);
  });

  it("are refused in preview where another controller reads the class", async () => {
    const [violation, ...others] = await gate.check(
      asked(await make("kong", "ingress-controllers.konghq.com/kong")),
    );
    expect(others).to.deep.equal([]);
    expect(violation?.property).to.equal("router");
    expect(violation?.reason).to.contain("BG-INGRESS-CLASS-WRONG").and.contain("read by Kong");
  });

  it("are said where nobody knows the controller, or a selector moves a load balancer's targets", async () => {
    expect(await gate.check(asked(await make("own", "example.com/edge")))).to.deep.equal([]);
    expect(await gate.check(asked("any", "gce"))).to.deep.equal([]);
    await gate.shows("example.com/edge");
    await gate.shows("NEG");
  });
});
