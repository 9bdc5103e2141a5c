import type { ServiceSettings } from "@bluegreen/release/config/aroundPods";
import { httpPorts } from "@bluegreen/release/routers/services";

/** Ports of a Service of the app: the app's own by its name, and those of config. @param port number of the first */
export function servicePorts({ appProtocol, extraPorts }: ServiceSettings, port: number) {
  return [
    ...httpPorts.map((http) => ({ ...http, port, ...(appProtocol !== "" && { appProtocol }) })),
    ...extraPorts.map((extra) => ({ protocol: "TCP", targetPort: extra.port, ...extra })),
  ];
}
