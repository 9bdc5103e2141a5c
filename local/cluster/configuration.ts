import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pauseReference } from "../images/pause";
import { unifiedCgroups } from "./cgroups";
import { network, type Layout } from "./layout";
import { writeKubeconfig } from "./kubeconfig";
import type { Programs } from "../programs/programs";

/** Writes the configuration files of containerd, CNI, kubelet and kube-proxy. */
export async function writeConfiguration(paths: Layout, programs: Programs): Promise<void> {
  const cni = join(paths.config, "cni");
  await mkdir(cni, { recursive: true });
  await Promise.all([
    writeFile(join(paths.config, "containerd.toml"), containerdConfig(paths, programs, cni)),
    writeFile(join(cni, "stage.conflist"), JSON.stringify(cniConfig)),
    writeFile(join(paths.config, "kubelet.json"), JSON.stringify(kubeletConfig(paths))),
    writeFile(join(paths.config, "kube-proxy.json"), JSON.stringify(kubeProxyConfig(paths))),
    writeFile(join(paths.config, "resolv.conf"), "# no name server: nothing outside can be reached\n"),
    ...["kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"].map(async (component) =>
      writeKubeconfig({
        file: componentKubeconfig(paths, component),
        pki: paths.pki,
        client: component,
        port: network.apiPort,
      }),
    ),
  ]);
}

/** Kubeconfig of a component. */
export function componentKubeconfig(paths: Layout, component: string): string {
  return join(paths.config, `${component}.kubeconfig`);
}

function containerdConfig(paths: Layout, programs: Programs, cni: string): string {
  return `version = 3
root = ${JSON.stringify(join(paths.containerd, "root"))}
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.internal.v1.opt",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
]

[grpc]
  address = ${JSON.stringify(paths.containerdSocket)}

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = ${JSON.stringify(pauseReference)}

[plugins."io.containerd.cri.v1.runtime"]
  # Machines without CAP_SYS_RESOURCE refuse lower scores than one's own.
  restrict_oom_score_adj = true

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = [${JSON.stringify(programs.containers)}]
  conf_dir = ${JSON.stringify(cni)}

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
}

/**
 * Every pod has a link of its own to the node: unlike behind a bridge, an answer cannot bypass the Service
 * rules.
 */
const cniConfig = {
  cniVersion: "1.0.0",
  name: "stage",
  plugins: [
    {
      type: "ptp",
      ipam: {
        type: "host-local",
        dataDir: "/run/cni",
        ranges: [[{ subnet: network.pods }]],
        routes: [{ dst: "0.0.0.0/0" }],
      },
    },
  ],
};

function kubeletConfig(paths: Layout): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: network.node,
    healthzBindAddress: "127.0.0.1",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: join(paths.pki, "ca.crt") },
    },
    authorization: { mode: "AlwaysAllow" },
    tlsCertFile: join(paths.pki, "kubelet-server.crt"),
    tlsPrivateKeyFile: join(paths.pki, "kubelet-server.key"),
    containerRuntimeEndpoint: `unix://${paths.containerdSocket}`,
    cgroupRoot: `/${paths.cgroup}`,
    cgroupDriver: "cgroupfs",
    ...(unifiedCgroups() ? {} : { failCgroupV1: false }),
    failSwapOn: false,
    oomScoreAdj: 0,
    resolvConf: join(paths.config, "resolv.conf"),
    clusterDomain: "cluster.local",
    podLogsDir: "/var/log/pods",
    serializeImagePulls: false,
    // A disk that is nearly full is the user's business, and no reason to end pods.
    evictionHard: {
      "memory.available": "0%",
      "nodefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "0%",
    },
    // Images of the stage come from here alone: nothing could bring back what is cleared away.
    imageGCHighThresholdPercent: 100,
    registerNode: true,
  };
}

function kubeProxyConfig(paths: Layout): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    clientConnection: { kubeconfig: componentKubeconfig(paths, "kube-proxy") },
    clusterCIDR: network.pods,
    bindAddress: network.node,
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    oomScoreAdj: 0,
    // The limits are the machine's, not this namespace's.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    // How soon rules follow endpoints stays Kubernetes' own (1 s): a release that needs it faster would fail
    // elsewhere.
  };
}
