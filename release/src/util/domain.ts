/** What the keys of this project's annotations and labels begin with. */
export const domain = "bluegreen.dev";
