import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  KubeConfig,
  KubernetesObjectApi,
  NetworkingV1Api,
  RbacAuthorizationV1Api,
  type KubernetesObject,
} from "@bluegreen/release/kubernetes/client";
import { expect } from "chai";
import { parse, parseAllDocuments } from "yaml";
import { colorNamespacesOf, orUndefined } from "@bluegreen/release";
import type { Finding } from "@bluegreen/release/util/finding";
import { repositoryDir } from "../../local/paths";
import { loadController, readStage } from "../../local/stage";
import { liveColor } from "../support/read";
import { makeStack, smallAndQuick, twoVersions, type TestStack } from "../../local/testing/testStack";

const account = "release";

/** The stack is somebody's who may do nothing at first, by a kubeconfig of their own. */
describe("bluegreen doctor, and a release by an account that has the rights it names and no others, on a real cluster", function () {
  const folder = mkdtempSync(join(tmpdir(), "bg-doctor-"));
  const kubeconfig = join(folder, "kubeconfig");
  let test: TestStack;
  let ingressClass: string;

  before(async () => {
    const stage = await readStage();
    if (stage === undefined) throw new Error("the local stage is not running");
    writeFileSync(kubeconfig, "");
    test = await makeStack(twoVersions, { kubeconfig });
    const { core, config, namespace } = test.cluster;
    ingressClass = `${namespace}-class`;
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: account } } });
    const { status } = await core.createNamespacedServiceAccountToken({
      name: account,
      namespace,
      body: { spec: { audiences: [], expirationSeconds: 3600 } },
    });
    const theirs = new KubeConfig();
    theirs.loadFromOptions({
      clusters: config.getClusters(),
      users: [{ name: account, token: status?.token }],
      contexts: config.getContexts().map((context) => ({ ...context, user: account })),
      currentContext: stage.context,
    });
    writeFileSync(kubeconfig, theirs.exportConfig(), { mode: 0o600 });
    await test.set({
      activeColor: "blue",
      blueTag: "v1",
      greenTag: "v2",
      analysis: { ...smallAndQuick.analysis, controllerImage: await loadController() },
      quota: { enabled: true },
      createNamespaces: false,
      ingressClass,
    });
  });

  after(async () => {
    const { config, namespace } = test.cluster;
    await Promise.all([
      orUndefined(
        config.makeApiClient(RbacAuthorizationV1Api).deleteClusterRole({ name: roleOf(undefined) }),
      ),
      orUndefined(config.makeApiClient(RbacAuthorizationV1Api).deleteClusterRoleBinding({ name: namespace })),
      orUndefined(config.makeApiClient(NetworkingV1Api).deleteIngressClass({ name: ingressClass })),
    ]);
    await test.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const roleOf = (namespace: string | undefined) =>
    `bluegreen-release-${namespace ?? test.cluster.namespace}`;
  const bluegreen = (cwd: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(repositoryDir, "cli/bluegreen.mjs"), ...args], {
      cwd,
      env: { ...process.env, ...test.env },
      encoding: "utf8",
    });
  const doctor = (...args: string[]) => bluegreen(repositoryDir, "doctor", ...args, "--stack", test.name);
  const findings = () => {
    const { stdout, stderr, status } = doctor("--json");
    expect(stdout, stderr).not.to.equal("");
    for (const secret of [...Object.values(test.secrets), test.stage.postgres.adminUrl])
      expect(stdout + stderr).not.to.contain(secret);
    return { status, all: (JSON.parse(stdout) as { findings: Finding[] }).findings };
  };
  const of = (all: Finding[], subject: string) =>
    all
      .filter((each) => each.subject === subject)
      .map(({ state, says }) => `${state}: ${says}`)
      .join("\n");

  it("says what an account may not do, what the cluster lacks, and what could not be checked", () => {
    const { status, all } = findings();
    expect(status).to.equal(1);
    expect(of(all, "settings")).to.match(/^well/);
    expect(of(all, "cluster")).to.match(/^well: Kubernetes v1\./);
    expect(of(all, "rights")).to.match(/^broken: release may not get namespaces, .* and \d+ more$/);
    expect(of(all, "ingress")).to.match(/^unknown: could not be checked: .*403/);
    expect(of(all, "namespaces")).to.match(/^unknown/);
    for (const finding of all)
      if (finding.state !== "well") expect(finding.next, finding.says).not.to.equal("");
  });

  it("prints the roles that it misses, and finds them when they are there", async () => {
    const { config, namespace } = test.cluster;
    const objects = parseAllDocuments(doctor("--rbac").stdout).map(
      (document) => document.toJS() as KubernetesObject,
    );
    const api = config.makeApiClient(KubernetesObjectApi);
    for (const object of objects) await api.create(object);
    const rbac = config.makeApiClient(RbacAuthorizationV1Api);
    const subjects = [{ kind: "ServiceAccount", name: account, namespace }];
    const bound = (kind: string) => ({
      apiGroup: "rbac.authorization.k8s.io",
      kind,
      name: roleOf(undefined),
    });
    await rbac.createClusterRoleBinding({
      body: { metadata: { name: namespace }, roleRef: bound("ClusterRole"), subjects },
    });
    for (const namespace of colorNamespacesOf(test.cluster))
      await rbac.createNamespacedRoleBinding({
        namespace,
        body: { metadata: { name: "release" }, roleRef: bound("Role"), subjects },
      });
    const { all } = findings();
    expect(of(all, "rights")).to.equal("well: release may do all that an update does");
    expect(of(all, "ingress")).to.match(/^broken: there is no IngressClass bg-e2e-/);
    expect(of(all, "certificate")).to.match(
      /^broken: ClusterIssuer letsencrypt-prod is wanted, and cert-manager is not in the cluster$/,
    );
  });

  it("has nothing to say against what is as it should be", async () => {
    await test.cluster.config.makeApiClient(NetworkingV1Api).createIngressClass({
      body: { metadata: { name: ingressClass }, spec: { controller: "example.com/none" } },
    });
    await test.set({ clusterIssuer: "none" });
    const { status, all } = findings();
    const bad = all.filter(({ state }) => state !== "well" && state !== "advice");
    expect(bad, JSON.stringify(bad)).to.deep.equal([]);
    expect(status).to.equal(0);
    expect(of(all, "database")).to.match(/^well: databaseAdminUrl: \S+ may make role and database$/);
  });

  it("names the rights of a whole release: with them, and no others, traffic is moved", async () => {
    await test.stack.up();
    await test.set({ activeColor: "green" });
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("green");
    expect(of(findings().all, "database")).to.match(/may change the schema$/);
  });

  it("writes a stack's first file of what it is told and what the cluster has, and never over one that is there", () => {
    const program = join(folder, "program");
    mkdirSync(program);
    cpSync(join(repositoryDir, "Pulumi.yaml"), join(program, "Pulumi.yaml"));
    const file = join(program, "Pulumi.staging.yaml");
    const init = (...args: string[]) =>
      bluegreen(
        program,
        "init",
        "staging",
        "--yes",
        "--tag",
        "v1",
        "--host",
        "app.example.com",
        "--namespace",
        test.cluster.namespace,
        "--route",
        "nginx",
        "--ingress-class",
        ingressClass,
        ...args,
      );
    const untold = init();
    expect([untold.status, existsSync(file)], untold.stderr).to.deep.equal([2, false]);
    expect(untold.stderr).to.contain("--image-repository is not given");
    const wrong = init("--image-repository", "Not A Repository");
    expect([wrong.status, existsSync(file)], wrong.stderr).to.deep.equal([2, false]);
    expect(wrong.stderr).to.contain("an image repository without a tag");
    const written = init("--image-repository", "ghcr.io/you/app");
    expect(written.status, written.stderr + written.stdout).to.equal(1);
    expect(written.stdout)
      .to.match(/^broken +secrets +Secret \S+\/openai-credentials is not there$/m)
      .and.contain("pulumi stack init staging");
    const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
    expect(config).to.deep.include({
      "chatgpt-app:activeColor": "blue",
      "chatgpt-app:imageRepository": "ghcr.io/you/app",
      "chatgpt-app:blueTag": "v1",
      "chatgpt-app:ingressClass": ingressClass,
      "chatgpt-app:context": test.stage.context,
      "chatgpt-app:clusterIssuer": "none",
    });
    writeFileSync(file, `encryptionsalt: the-key\n${readFileSync(file, "utf8")}`);
    const refused = init("--image-repository", "ghcr.io/you/other");
    expect([refused.status, readFileSync(file, "utf8").includes("you/other")], refused.stderr).to.deep.equal([
      2,
      false,
    ]);
    init("--image-repository", "ghcr.io/you/other", "--overwrite");
    expect(parse(readFileSync(file, "utf8"))).to.have.property("encryptionsalt", "the-key");
    expect(readFileSync(file, "utf8")).to.contain("you/other");
  });

  it("says which Secret is missing, how to make it, and which database does not answer", async () => {
    const { namespace } = test.cluster;
    await test.stack.setConfig({
      secretEnv: { value: { TOKEN: test.secrets.token }, secret: true },
      databaseAdminUrl: { value: "postgres://admin:very-secret@127.0.0.1:1/postgres", secret: true },
    });
    const { status, all } = findings();
    expect(status).to.equal(1);
    expect(of(all, "secrets")).to.equal(`broken: Secret ${namespace}/openai-credentials is not there`);
    expect(all.find(({ subject }) => subject === "secrets"))
      .to.have.property("next")
      .that.contains(`kubectl -n ${namespace} create secret generic openai-credentials --from-env-file=`);
    await test.set({ envFromSecrets: { ONE_KEY: "payments/one", OTHER_KEY: "payments/other" } });
    const [payments] = findings().all.filter(({ subject }) => subject === "secrets");
    expect(payments)
      .to.include({ says: `Secret ${namespace}/payments is not there` })
      .and.to.have.property("next")
      .that.contains("write one=… and other=… to a file");
    expect(of(all, "database"))
      .to.match(/^broken: databaseAdminUrl: no database answers from here: .*ECONNREFUSED/)
      .and.not.to.contain("very-secret");
  });
});
