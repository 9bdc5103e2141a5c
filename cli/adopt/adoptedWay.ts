import type { V1Ingress, V1Service } from "@bluegreen/release/kubernetes/client";
import { routerNames, type RouterName } from "@bluegreen/release/routers/routers";
import type { HttpRoute, Running } from "./manifests";
import type { Tell } from "./notes";

type Config = Record<string, unknown>;
type Way = Config & { traffic: Config };

/** Of kubectl, Helm and the controllers themselves: nobody's choice. */
const foreignAnnotation =
  /^(?:kubectl\.kubernetes\.io\/|meta\.helm\.sh\/|field\.cattle\.io\/|ingress\.kubernetes\.io\/backends)/;
const classAnnotation = "kubernetes.io/ingress.class";
const issuerAnnotation = "cert-manager.io/cluster-issuer";

/** How requests reach the app today, as settings. */
export function adoptWay({ services, ingresses, routes }: Running, tellOf: (title: string) => Tell): Config {
  const service = mainService(services);
  const [ingress, ...moreIngresses] = ingresses;
  const [route, ...moreRoutes] = routes;
  for (const { metadata } of [...(ingress === undefined ? [] : moreIngresses), ...moreRoutes])
    tellOf(`Ingress ${metadata?.name ?? "?"}`).left(
      "spec",
      "one is taken: write the hosts of this one into ingress.hosts",
    );
  for (const each of services) {
    const tell = tellOf(`Service ${each.metadata?.name ?? "?"}`);
    tell.left(
      "metadata.name",
      "it stays, with the old pods: clients inside the cluster that name it move to APP-service, or it gets the selector of the active one in the end",
    );
  }
  const way: Way =
    ingress !== undefined
      ? adoptIngress(ingress, service, tellOf(`Ingress ${ingress.metadata?.name ?? "?"}`))
      : route !== undefined
        ? adoptRoute(route, tellOf(`HTTPRoute ${route.metadata?.name ?? "?"}`))
        : { traffic: { router: "none" } };
  const staysByAddress = service?.spec?.sessionAffinity === "ClientIP";
  return {
    ...way,
    traffic: { ...way.traffic, ...(staysByAddress && { affinity: "clientIP" }) },
    ...(service !== undefined && adoptService(service, tellOf(`Service ${service.metadata?.name ?? "?"}`))),
  };
}

/** Of a container's port and of a Service's. */
const longestPortName = 15;

/** A headless one serves discovery; an app has one beside. */
function mainService(services: V1Service[]): V1Service | undefined {
  return services.find(({ spec }) => spec?.clusterIP !== "None" && spec?.type !== "ExternalName");
}

function adoptService({ metadata, spec }: V1Service, tell: Tell): Config {
  const annotations = chosen(metadata?.annotations);
  const ports = spec?.ports ?? [];
  const main = ports.find(({ name, port }) => name === "http" || port === 80) ?? ports[0];
  const more = ports.filter((each) => each !== main && (each.protocol ?? "TCP") === "TCP");
  for (const { port, protocol = "TCP" } of ports)
    if (protocol !== "TCP")
      tell.left(`spec.ports ${port}/${protocol}`, "the old Service keeps it: colors are switched for TCP");
  const service = {
    ...(main !== undefined && main.port !== 80 && { port: main.port }),
    ...(main?.appProtocol !== undefined && { appProtocol: main.appProtocol }),
    ...((spec?.type ?? "ClusterIP") !== "ClusterIP" && { type: spec?.type }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(more.length > 0 && {
      extraPorts: more.map(({ name, port, targetPort, appProtocol }) => ({
        name: name === undefined || name === "http" || name.length > longestPortName ? `port-${port}` : name,
        port,
        ...(targetPort !== undefined && { targetPort }),
        ...(appProtocol !== undefined && { appProtocol }),
      })),
    }),
  };
  for (const field of Object.keys(service)) tell.carried(`spec.${field}`, `service.${field}`);
  return Object.keys(service).length === 0 ? {} : { service };
}

function adoptIngress({ metadata, spec }: V1Ingress, service: V1Service | undefined, tell: Tell): Way {
  const {
    [classAnnotation]: oldClass,
    [issuerAnnotation]: issuer,
    ...annotations
  } = chosen(metadata?.annotations);
  const ingressClass = spec?.ingressClassName ?? oldClass;
  const rules = spec?.rules ?? [];
  const name = service?.metadata?.name;
  const [host, ...hosts] = [...new Set(rules.flatMap((rule) => rule.host ?? []))];
  const paths = rules.flatMap(({ http }) => http?.paths ?? []);
  const others = paths.flatMap(({ path = "/", pathType, backend: { service: to } }) => {
    if (to === undefined || to.name === name) return [];
    const port = to.port?.number;
    if (port === undefined || !/^\/[\w.~/-]+$/.test(path)) {
      tell.left(
        `spec.rules.paths ${path}`,
        `Service ${to.name} keeps the old Ingress, or gets a path and the number of a port`,
      );
      return [];
    }
    return [{ path, pathType: pathType === "Exact" ? "Exact" : "Prefix", service: to.name, port }];
  });
  const ours = paths.filter(({ backend }) => backend.service?.name === name);
  const narrow = ours.map(({ path }) => path ?? "/").filter((path) => !/^\/(?:\(\.\*\)|\*)?$/.test(path));
  if (ours.length > 0 && narrow.length === ours.length)
    tell.changed(
      "spec.rules.paths",
      `${narrow.join(", ")}: all of the host is routed to the app, but for ingress.paths`,
    );
  const [tls] = spec?.tls ?? [];
  const tlsSecret = tls?.secretName;
  if (tls === undefined) tell.made("spec.tls", "https as well: Secret APP-tls, or ingress.tlsSecret");
  const ingress = {
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(hosts.length > 0 && { hosts }),
    ...(tlsSecret !== undefined && { tlsSecret }),
    ...(others.length > 0 && { paths: others }),
  };
  for (const field of Object.keys(ingress)) tell.carried(field, `ingress.${field}`);
  return {
    ...(host !== undefined && { host }),
    ...(ingressClass !== undefined && { ingressClass }),
    traffic: { router: routerOf(ingressClass ?? "nginx", tell) },
    clusterIssuer: issuer ?? "none",
    ...(Object.keys(ingress).length > 0 && { ingress }),
  };
}

function routerOf(ingressClass: string, tell: Tell): RouterName {
  const found = routerNames.find((name) => ingressClass.includes(name));
  if (found !== undefined) return found;
  tell.changed(
    `ingressClassName ${ingressClass}`,
    "traffic.router is nginx: another controller needs the one that goes with it",
  );
  return "nginx";
}

function adoptRoute({ metadata, spec }: HttpRoute, tell: Tell): Way {
  const [host, ...hosts] = spec?.hostnames ?? [];
  const [parent] = spec?.parentRefs ?? [];
  const gateway =
    parent &&
    [parent.namespace ?? metadata?.namespace ?? "default", parent.name, parent.sectionName]
      .filter(Boolean)
      .join("/");
  tell.carried("spec.parentRefs", "traffic.gateway");
  return {
    ...(host !== undefined && { host }),
    traffic: { router: "gateway", gateway },
    clusterIssuer: "none",
    ...(hosts.length > 0 && { ingress: { hosts } }),
  };
}

function chosen(annotations: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !foreignAnnotation.test(key)));
}
