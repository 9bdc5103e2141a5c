import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "../../cli/pulumi/stack";
import { repositoryDir } from "../../local/paths";
import { installPulumi } from "../../local/pulumi/installation";

/** A Pulumi program other than this project's, with a state of its own. */
export interface Program {
  folder: string;
  stack: Stack;
  /** What a shell would have exported for the stack. */
  env: Record<string, string>;
  /** Replaces the program. */
  write(code: string): void;
  remove(): void;
}

export async function makeProgram(more: Record<string, string> = {}): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "bg-program-"));
  symlinkSync(join(repositoryDir, "node_modules"), join(folder, "node_modules"));
  const write = (file: string, text: string) => {
    writeFileSync(join(folder, file), text);
  };
  write("package.json", JSON.stringify({ name: "fixture", private: true }));
  write(
    "tsconfig.json",
    JSON.stringify({
      compilerOptions: { target: "es2022", module: "nodenext", moduleResolution: "nodenext" },
    }),
  );
  write("Pulumi.yaml", "name: fixture\nruntime: nodejs\nmain: index.ts\n");
  const env = { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "correct horse", ...more };
  await installPulumi(() => undefined);
  return {
    folder,
    stack: await Stack.create({ name: "test", workDir: folder, env }),
    env,
    write: (code) => {
      write("index.ts", code);
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
