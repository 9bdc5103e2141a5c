import { expect } from "chai";
import { parse } from "yaml";
import { parseSettings } from "@bluegreen/release";
import { projectFiles } from "../../cli/newProject";
import { parseProject, textsOf } from "../../cli/stackConfig";

const http = { port: 8080, livenessPath: "/healthz", readinessPath: "/healthz" };

describe("A project that init writes", () => {
  const files = projectFiles({ name: "shop", http }, "{}");

  it("has what Pulumi, the program and its tests need, in fixed versions", () => {
    expect(Object.keys(files)).to.have.members([
      "package.json",
      "Pulumi.yaml",
      "index.ts",
      "tsconfig.json",
      "tests/smoke/app.ts",
      ".gitignore",
    ]);
    const { dependencies, devDependencies } = JSON.parse(files["package.json"] ?? "") as Record<
      string,
      Record<string, string>
    >;
    expect(dependencies).to.include.keys("bluegreen", "@bluegreen/components", "@pulumi/pulumi", "mocha");
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
  });

  it("asks for no database, and gives every setting that its stacks share", () => {
    const project = parseProject(files["Pulumi.yaml"] ?? "");
    const settings = parseSettings("shop", {
      ...textsOf(project, {}),
      activeColor: "blue",
      blueTag: "v1",
      imageRepository: "ghcr.io/you/shop",
      host: "shop.example.com",
    });
    expect(settings).to.deep.include({ http, namespace: "shop" });
    expect(settings.database.strategy).to.equal("none");
    expect(parse(files["Pulumi.yaml"] ?? "")).to.have.nested.property("runtime.options.typescript", false);
  });

  it("keeps what a package.json has: where its packages come from", () => {
    const text = JSON.stringify({ name: "mine", dependencies: { bluegreen: "file:bluegreen-0.1.0.tgz" } });
    const kept = JSON.parse(projectFiles({ name: "shop", http }, text)["package.json"] ?? "") as object;
    expect(kept).to.deep.include({ name: "mine", main: "index.ts" });
    expect(kept).to.have.nested.property("dependencies.bluegreen", "file:bluegreen-0.1.0.tgz");
    expect(kept).to.have.nested.property("dependencies.mocha");
  });
});
