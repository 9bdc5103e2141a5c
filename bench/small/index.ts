import { core, Provider } from "@pulumi/kubernetes";
import { Config } from "@pulumi/pulumi";

const { ConfigMap, Namespace, Service } = core.v1;

const name = new Config().require("namespace");
const provider = new Provider("small", { kubeconfig: "", enableServerSideApply: true });
const namespace = new Namespace("small", { metadata: { name } }, { provider });
const within = { provider, dependsOn: namespace };
new ConfigMap("small", { metadata: { name: "small", namespace: name }, data: { COLOR: "blue" } }, within);
new Service(
  "small",
  {
    metadata: { name: "small", namespace: name },
    spec: { selector: { app: "small" }, ports: [{ port: 80 }] },
  },
  within,
);
