/** What an update is limited to by `--target`. Pure. */

/** In a pattern * stands for some of a part of a URN, ** for any text. */
function matcher(target: string): (urn: string) => boolean {
  const pieces = target.split("**").map((piece) => piece.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join("[^:]*"));
  const pattern = new RegExp(`^${pieces.join(".*")}$`);
  return (urn) => pattern.test(urn);
}

export class Targets {
  private readonly matchers: { target: string; matches: (urn: string) => boolean }[];
  private readonly reached = new Set<string>();

  /**
   * @param targets URNs and patterns of URNs; none: there is no limit
   * @param dependents what depends on a target is one, too
   */
  constructor(
    targets: readonly string[] = [],
    private readonly dependents = false,
  ) {
    this.matchers = targets.map((target) => ({ target, matches: matcher(target) }));
  }

  get limited(): boolean {
    return this.matchers.length > 0;
  }

  /** To be asked in the order of the program: a dependent comes after what it depends on. */
  include(urn: string, needs: ReadonlySet<string>): boolean {
    if (!this.limited) return true;
    const included = this.matchers.some(({ matches }) => matches(urn)) || (this.dependents && [...needs].some((need) => this.reached.has(need)));
    if (included) this.reached.add(urn);
    return included;
  }

  /** Targets that are none of the resources; patterns may match nothing. */
  missing(urns: readonly string[]): string[] {
    return this.matchers.filter(({ target, matches }) => !target.includes("*") && !urns.some(matches)).map(({ target }) => target);
  }
}
