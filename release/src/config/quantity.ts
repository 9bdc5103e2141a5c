/**
 * Kubernetes quantities that make sense for a container: 250m or 0.5 of a CPU, which it divides no further
 * than by 1000, and 256Mi, 1.5Gi or 512M of memory.
 */
export const cpuPattern = /^(\d{1,9}m|\d{1,9}(\.\d{1,3})?)$/;
export const cpuRule = "CPUs, as 250m or 0.5";
/** Without m, which Kubernetes takes for thousandths of a byte. */
export const memoryPattern = /^\d{1,15}(\.\d{1,3})?(Ki|Mi|Gi|Ti|k|M|G|T)?$/;
export const memoryRule = "memory, as 256Mi, 1.5Gi or 512M";

/** The API server hands back whatever others have written. */
const factors: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number behind a quantity, in CPUs or bytes. */
export function quantity(text: string): number {
  const unit = /[A-Za-z]*$/.exec(text)?.[0] ?? "";
  return Number.parseFloat(text) * (factors[unit] ?? Number.NaN);
}
