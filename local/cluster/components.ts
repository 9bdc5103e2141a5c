import { join } from "node:path";
import { postgresAccount, postgresCommand } from "../services/postgres";
import { redisAccount, redisCommand } from "../services/redis";
import { systemPath } from "../system/packages";
import { frontProxyClient } from "./certificates";
import { componentKubeconfig } from "./configuration";
import { inside, network, nodeName, type Layout } from "./layout";
import type { Programs } from "../programs/programs";

/** A program that the supervisor keeps running (the Go side has the same fields). */
export interface Component {
  name: string;
  argv: string[];
  env: Record<string, string>;
  log: string;
  uid: number;
  gid: number;
  waitFor: string[];
}

const etcd = "http://127.0.0.1:2379";
const apiReady = `https://127.0.0.1:${String(network.apiPort)}/readyz`;

/** Everything that runs in the stage besides pods. */
export async function components(paths: Layout, programs: Programs): Promise<Component[]> {
  const base = (name: string): Omit<Component, "argv"> => ({
    name,
    env: { PATH: `${programs.containers}:${systemPath}`, HOME: "/", LANG: "C.UTF-8" },
    log: logFile(paths, name),
    uid: 0,
    gid: 0,
    waitFor: [],
  });
  const kubernetes = (name: string, flags: Record<string, string>, waitFor: string[]): Component => ({
    ...base(name),
    argv: [
      join(programs.kubernetes, "kubernetes"),
      name,
      ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
    ],
    waitFor,
  });
  const pki = (file: string): string => join(paths.pki, file);
  const [postgres, redis] = await Promise.all([postgresAccount(), redisAccount()]);
  return [
    kubernetes(
      "etcd",
      {
        name: "stage",
        "data-dir": paths.etcd,
        "listen-client-urls": etcd,
        "advertise-client-urls": etcd,
        "listen-peer-urls": "http://127.0.0.1:2380",
        "initial-advertise-peer-urls": "http://127.0.0.1:2380",
        "initial-cluster": "stage=http://127.0.0.1:2380",
        // The data need not survive a power loss, only the end of the process.
        "unsafe-no-fsync": "true",
        "log-level": "warn",
      },
      [],
    ),
    kubernetes(
      "kube-apiserver",
      {
        "advertise-address": network.node,
        "secure-port": String(network.apiPort),
        "etcd-servers": etcd,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "service-cluster-ip-range": network.services,
        "allow-privileged": "true",
        "client-ca-file": pki("ca.crt"),
        "tls-cert-file": pki("kube-apiserver.crt"),
        "tls-private-key-file": pki("kube-apiserver.key"),
        "kubelet-client-certificate": pki("kube-apiserver-to-kubelet.crt"),
        "kubelet-client-key": pki("kube-apiserver-to-kubelet.key"),
        "kubelet-preferred-address-types": "InternalIP",
        "requestheader-client-ca-file": join(paths.frontProxyPki, "ca.crt"),
        "requestheader-allowed-names": frontProxyClient,
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": join(paths.frontProxyPki, `${frontProxyClient}.crt`),
        "proxy-client-key-file": join(paths.frontProxyPki, `${frontProxyClient}.key`),
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": pki("service-accounts.key"),
        "service-account-signing-key-file": pki("service-accounts.key"),
        profiling: "false",
      },
      [etcd.replace("http", "tcp")],
    ),
    kubernetes(
      "kube-controller-manager",
      {
        kubeconfig: componentKubeconfig(paths, "kube-controller-manager"),
        "bind-address": "127.0.0.1",
        // There is one of it: an election would only cost time.
        "leader-elect": "false",
        "use-service-account-credentials": "true",
        "root-ca-file": pki("ca.crt"),
        "service-account-private-key-file": pki("service-accounts.key"),
        profiling: "false",
      },
      [apiReady],
    ),
    kubernetes(
      "kube-scheduler",
      {
        kubeconfig: componentKubeconfig(paths, "kube-scheduler"),
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
        profiling: "false",
      },
      [apiReady],
    ),
    {
      ...base("containerd"),
      argv: [
        join(programs.containers, "containerd"),
        "--config",
        join(paths.config, "containerd.toml"),
        "--log-level",
        "warn",
      ],
    },
    kubernetes(
      "kubelet",
      {
        config: join(paths.config, "kubelet.json"),
        kubeconfig: componentKubeconfig(paths, "kubelet"),
        "root-dir": paths.kubelet,
        "hostname-override": nodeName,
        "node-ip": network.node,
      },
      [`unix://${paths.containerdSocket}`, apiReady],
    ),
    kubernetes(
      "kube-proxy",
      { config: join(paths.config, "kube-proxy.json"), "hostname-override": nodeName },
      [apiReady],
    ),
    { ...base("postgres"), argv: postgresCommand(inside.postgres, network.node), ...postgres },
    { ...base("redis"), argv: redisCommand(inside.redis, network.node), ...redis },
  ];
}

/** Log of a component. */
export function logFile(paths: Layout, component: string): string {
  return join(paths.logs, `${component}.log`);
}
