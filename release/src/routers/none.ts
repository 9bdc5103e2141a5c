import { ingressSubject, well } from "../util/finding.js";
import type { Router } from "./router.js";

/** No ingress: requests come by the active Service, from inside the cluster or by a load balancer of its own. */
export const none: Router = {
  can: {
    colorPaths: false,
    previewHeader: false,
    previewCookie: false,
    affinityCookie: false,
    otherNamespaces: false,
    otherPaths: false,
  },
  objects: () => [],
  weights: undefined,
  makes: { group: "", resources: [] },
  reads: [],
  isOffered: () => Promise.resolve(false),
  examine: () => Promise.resolve(well(ingressSubject, "config wants none")),
};
