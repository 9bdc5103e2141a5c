/** The part of Istio's schema that the program writes to, as its CRD says it. */
export const virtualServiceSchema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        hosts: { type: "array", items: { type: "string" } },
        gateways: { type: "array", items: { type: "string" } },
        http: {
          type: "array",
          items: {
            type: "object",
            properties: {
              name: { type: "string" },
              match: {
                type: "array",
                items: {
                  type: "object",
                  properties: {
                    headers: {
                      type: "object",
                      additionalProperties: {
                        type: "object",
                        properties: {
                          exact: { type: "string" },
                          prefix: { type: "string" },
                          regex: { type: "string" },
                        },
                      },
                    },
                  },
                },
              },
              route: {
                type: "array",
                items: {
                  type: "object",
                  required: ["destination"],
                  properties: {
                    destination: {
                      type: "object",
                      required: ["host"],
                      properties: {
                        host: { type: "string" },
                        port: {
                          type: "object",
                          properties: { number: { type: "integer", minimum: 0, maximum: 4_294_967_295 } },
                        },
                        subset: { type: "string" },
                      },
                    },
                    weight: { type: "integer", format: "int32" },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
} as const;

/** For an API server that nobody has brought Istio to. */
export const virtualServiceCrd = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "virtualservices.networking.istio.io" },
  spec: {
    group: "networking.istio.io",
    scope: "Namespaced",
    names: {
      kind: "VirtualService",
      listKind: "VirtualServiceList",
      plural: "virtualservices",
      singular: "virtualservice",
    },
    versions: [
      { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: virtualServiceSchema } },
    ],
  },
};

/** A schema that refuses what it does not name: an API server would drop it in silence. */
export function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  return "properties" in schema ? { ...inner, additionalProperties: false } : inner;
}
