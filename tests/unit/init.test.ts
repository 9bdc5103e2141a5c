import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { repositoryDir } from "../../local/paths";

const manifests = `apiVersion: apps/v1
kind: Deployment
metadata: { name: shop, namespace: shops }
spec:
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec: { containers: [{ name: web, image: "ghcr.io/you/shop:latest", ports: [{ containerPort: 8080 }] }] }
`;

describe("bluegreen init, where something is missing", function () {
  // Each loads the command line.
  const folder = mkdtempSync(join(tmpdir(), "bg-init-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const init = (...args: string[]) =>
    spawnSync(process.execPath, [join(repositoryDir, "cli/bluegreen.mjs"), "init", ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, KUBECONFIG: join(folder, "nowhere") },
    });

  it("leaves nothing behind, neither files nor the folder that it would have made", () => {
    const { status, stderr } = init("--dir", "shops/shop", "--yes");
    expect(status, stderr).to.equal(2);
    expect(stderr)
      .to.contain("BG-ANSWER-MISSING")
      .and.contain("--image-repository, --tag, --host are not given");
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("leaves no pod template behind either, and a folder that was there as it was", () => {
    writeFileSync(join(folder, "shop.yaml"), manifests);
    const { status, stderr } = init("--from", "shop.yaml", "--yes");
    expect(status, stderr).to.equal(2);
    expect(stderr).to.contain("--tag is not given");
    expect(readdirSync(folder)).to.deep.equal(["shop.yaml"]);
  });

  it("asks for no host where no ingress is made", () => {
    const { stdout, stderr } = init("--from", "shop.yaml", "--tag", "v1", "--dir", "shop", "--yes");
    expect(stdout, stderr).to.contain("podTemplate.yaml, Pulumi.production.yaml are written");
    expect(existsSync(join(folder, "shop", "tests", "smoke", "app.ts"))).to.equal(true);
  });
});
