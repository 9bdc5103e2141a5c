/** Kubernetes quantities that make sense for a container: 250m or 0.5 of a CPU, 256Mi or 1Gi of memory. */
export const cpuPattern = /^(\d+m|\d+(\.\d+)?)$/;
export const memoryPattern = /^\d+(Ki|Mi|Gi)$/;

const factors: Record<string, number> = { m: 0.001, "": 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

/** The number behind a quantity, in CPUs or bytes. */
export function quantity(text: string): number {
  const unit = /[A-Za-z]*$/.exec(text)?.[0] ?? "";
  return Number.parseFloat(text) * (factors[unit] ?? Number.NaN);
}
