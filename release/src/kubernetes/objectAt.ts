/** Where an object is in Kubernetes' API, in whatever namespace. */
export interface ObjectAt {
  /** "" for what is in Kubernetes' core. */
  group: string;
  version: string;
  plural: string;
  name: string;
}
