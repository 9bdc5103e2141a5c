import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "@bluegreen/release";
import { cacheDir } from "../../../local/paths";
import { withLock } from "../../../local/system/lock";
import { run } from "../../../local/system/run";

/** A load balancer in front of several clusters. */
export interface Balancer {
  /** Loopback port that it takes TLS connections on. */
  port: number;
  stop(): Promise<void>;
}

/**
 * HAProxy as somebody would put it in front of two clusters: TCP, with TLS left to the edges, and a
 * health check of the app itself by HTTPS, with the host's certificate.
 * @param backends loopback ports of the edges, by the clusters' names
 */
export async function startBalancer({
  host,
  ca,
  backends,
}: {
  host: string;
  ca: string;
  backends: Record<string, number>;
}): Promise<Balancer> {
  const folder = await mkdtemp(join(tmpdir(), "bg-balancer-"));
  const port = await freePort();
  const lines = [
    "defaults",
    "  mode tcp",
    "  timeout connect 5s",
    "  timeout client 60s",
    "  timeout server 60s",
    "  timeout check 5s",
    "  retries 2",
    "  option redispatch 1",
    "listen users",
    `  bind 127.0.0.1:${port}`,
    "  balance roundrobin",
    "  option httpchk",
    `  http-check send meth GET uri /health ver HTTP/1.1 hdr Host ${host} hdr Connection close`,
    "  http-check expect status 200",
    `  default-server check check-ssl ca-file ${ca} verify required verifyhost ${host} check-sni ${host} inter 1s fall 3 rise 2`,
    ...Object.entries(backends).map(([name, each]) => `  server ${name} 127.0.0.1:${each}`),
  ];
  const file = join(folder, "haproxy.cfg");
  await writeFile(file, `${lines.join("\n")}\n`);
  const { program, libraries } = await haproxy();
  const child = spawn(program, ["-db", "-f", file], {
    stdio: ["ignore", "ignore", "ignore"],
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
  });
  const exit = once(child, "exit");
  await poll(async () => ((await accepts(port)) ? true : undefined), { timeoutMs: 300_000, intervalMs: 50 });
  return {
    port,
    stop: async () => {
      child.kill();
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Debian's, unpacked and not installed: the package would start a service. */
async function haproxy(): Promise<{ program: string; libraries: string }> {
  const root = join(cacheDir(), "haproxy");
  const program = join(root, "usr/sbin/haproxy");
  await withLock(join(cacheDir(), "locks", "haproxy"), async () => {
    if (existsSync(program)) return;
    const making = `${root}.new`;
    await rm(making, { recursive: true, force: true });
    await mkdir(join(making, "partial"), { recursive: true });
    const download = () =>
      run("apt-get", [
        "install",
        "-q",
        "-y",
        "--no-install-recommends",
        "--download-only",
        "--reinstall",
        "-o",
        `Dir::Cache::archives=${making}`,
        "haproxy",
      ]);
    // The package lists may be missing, or name versions that are gone.
    await download().catch(async () => {
      await run("apt-get", ["update", "-q"]);
      await download();
    });
    for (const file of (await readdir(making)).filter((each) => each.endsWith(".deb")))
      await run("dpkg-deb", ["-x", join(making, file), making]);
    await run("mv", ["-T", making, root]);
  });
  const machine = (
    await run("dpkg-architecture", ["-qDEB_HOST_MULTIARCH"]).catch(() => "x86_64-linux-gnu")
  ).trim();
  return { program, libraries: join(root, "usr/lib", machine) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket
      .once("connect", () => {
        resolve(true);
        socket.destroy();
      })
      .once("error", () => {
        resolve(false);
      });
  });
}
