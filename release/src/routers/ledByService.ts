import type { NamespacedName } from "../app/namespaces.js";
import type { Color } from "../app/color.js";
import { names } from "../app/names.js";
import type { RequestSeries } from "../app/requestSeries.js";
import { colorService } from "./activeService.js";
import type { Router } from "./router.js";

/** Series that tell by a Service what requests were routed to. @param labels of such a series */
export function ledByService(
  naming: Omit<RequestSeries, "labels">,
  labels: (service: NamespacedName) => Record<string, string>,
): NonNullable<Router["requests"]> {
  return (way) => {
    const { app, namespace, strategy } = way;
    const of = (color: Color) =>
      labels(
        strategy === "selector"
          ? { namespace, name: names.activeService(app) }
          : colorService(way, app, color),
      );
    return { ...naming, labels: { blue: of("blue"), green: of("green") } };
  };
}
