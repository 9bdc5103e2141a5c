/** A process of the SDK's that serves gRPC on a port of its own, and says on its first line which. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type CallOptions, type ChannelOptions, Metadata, type ServiceError } from "@grpc/grpc-js";
import { EngineError, messageOf } from "./errors";
import { DIE_WITH_PARENT } from "./program";

const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;
const KILL_AFTER_MS = 5_000;

/** Of a client of such a process: a stack can be large. */
export const CHANNEL: ChannelOptions = { "grpc.max_receive_message_length": MAX_MESSAGE_BYTES, "grpc.max_send_message_length": MAX_MESSAGE_BYTES };

export interface PluginOptions {
  /** For errors: what it is. */
  what: string;
  /** Of the SDK, as a module; the copy that `directory` has. */
  module: string;
  args: string[];
  directory: string;
  env: Record<string, string>;
  /** What its code prints. */
  log: (line: string) => void;
}

export interface PluginProcess {
  address: string;
  stop(): Promise<void>;
}

export async function startPlugin({ what, module, args, directory, env, log }: PluginOptions): Promise<PluginProcess> {
  const script = require.resolve(module, { paths: [directory] });
  const child = spawn(process.execPath, ["-r", DIE_WITH_PARENT, script, ...args], { cwd: directory, env, stdio: ["pipe", "pipe", "pipe"] });
  const port = await readPort(child, what, log);
  return { address: `127.0.0.1:${port}`, stop: () => stop(child) };
}

/** Everything after the first line is the code's own output. */
function readPort(child: ChildProcess, what: string, log: (line: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const { stdout, stderr } = child;
    if (!stdout || !stderr) {
      reject(new EngineError(`the ${what} process has no output to read`));
      return;
    }
    let known = false;
    createInterface({ input: stdout }).on("line", (line) => {
      if (known) log(line);
      else resolve(line.trim());
      known = true;
    });
    createInterface({ input: stderr }).on("line", log);
    child.once("error", (error) => { reject(new EngineError(`the ${what} process did not start: ${messageOf(error)}`)); });
    child.once("exit", (code, signal) => { reject(new EngineError(`the ${what} process ended early (${signal ?? `exit code ${code}`})`)); });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  await exited;
  clearTimeout(timer);
}

type Call<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

/** @param failed makes an error of what came instead of an answer */
export function invoke<Request, Response>(call: Call<Request, Response>, request: Request, failed: (error: ServiceError) => Error = ({ details }) => new Error(details)): Promise<Response> {
  return new Promise((resolve, reject) => {
    call(request, new Metadata(), {}, (error, response) => {
      if (error) reject(failed(error));
      else resolve(response);
    });
  });
}
