/**
 * Ends this process, whatever still holds it, once all that it has printed was taken: where a pipe's reader is
 * slow, the end of a long text waits in this process, and would be lost with it.
 */
export function endProcess(code: number): void {
  process.stdout.write("", () => {
    process.stderr.write("", () => {
      process.exit(code);
    });
  });
}
