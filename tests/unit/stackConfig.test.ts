import { expect } from "chai";
import { parseProject, settingsFrom, stackFileName, textsOf } from "../../cli/stackConfig";

const project = parseProject(`
name: shop
config:
  replicas:
    type: integer
    default: 3
  host:
    type: string
    default: ""
  connectionDrain:
    default: { timeoutSeconds: 30 }
  shop:namespace: shops
  quota:
    value: { enabled: true }
  kubernetes:context: prod
`);

describe("A stack's settings", () => {
  it("are what Pulumi.yaml declares, in each of the ingresses which it can", () => {
    expect(textsOf(project, {})).to.deep.equal({
      replicas: "3",
      host: "",
      connectionDrain: '{"timeoutSeconds":30}',
      namespace: "shops",
      quota: '{"enabled":true}',
    });
  });

  it("are what the stack says, where it says something", () => {
    expect(
      textsOf(project, {
        "shop:replicas": 5,
        "shop:host": "shop.example.com",
        "shop:connectionDrain": { timeoutSeconds: 60 },
        "shopping:replicas": 7,
        "kubernetes:context": "test",
      }),
    ).to.deep.equal({
      replicas: "5",
      host: "shop.example.com",
      connectionDrain: '{"timeoutSeconds":60}',
      namespace: "shops",
      quota: '{"enabled":true}',
    });
  });

  it("are the same by Pulumi, which tells everything as text, and what is secret in plain text", () => {
    const told = {
      "chatgpt-app:activeColor": { value: "blue" },
      "chatgpt-app:blueTag": { value: "v1" },
      "chatgpt-app:imageRepository": { value: "ghcr.io/you/app" },
      "chatgpt-app:host": { value: "app.example.com" },
      "other:host": { value: "no host" },
    };
    const settings = settingsFrom({
      ...told,
      "chatgpt-app:secretEnv": { value: '{"TOKEN":"t"}', secret: true },
    });
    expect(settings).to.include({ activeColor: "blue", host: "app.example.com", replicas: 3 });
    expect(settings.colors.blue).to.deep.include({ tag: "v1", secretEnv: { TOKEN: "t" } });
    expect(() =>
      settingsFrom({ ...told, "chatgpt-app:secretEnv": { value: '{"TOKEN":"t"}', secret: false } }),
    ).to.throw("encrypted in the stack file");
  });

  it("are in a file that is named by the stack alone, whatever a backend calls it", () => {
    expect(
      [
        "production",
        "acme/production",
        "acme/chatgpt-app/production",
        "organization/chatgpt-app/eu.prod-1",
      ].map(stackFileName),
    ).to.deep.equal([
      "Pulumi.production.yaml",
      "Pulumi.production.yaml",
      "Pulumi.production.yaml",
      "Pulumi.eu.prod-1.yaml",
    ]);
  });
});
