/** An option of a benchmark. @throws Error naming the option and the rule */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Error(`--${name} ${text} was refused: a whole number from ${least} to ${most}`);
  return value;
}
