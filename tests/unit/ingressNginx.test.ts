import { expect } from "chai";
import { colors, otherColor, type Color } from "@bluegreen/release";
import type { Affinity, TrafficStrategy, Way } from "@bluegreen/release/routers/router";
import { nginx } from "@bluegreen/release/routers/nginx";
import { allOn, weightsOf, type Weights } from "@bluegreen/release/routers/weights";
import { IngressNginx, type IngressObject } from "./ingressNginxModel";
import { app, apply, way } from "./ways";

const host = "app.example.com";
/** A second one moves with it. */
const moreHosts = ["www.example.com"];

/** Of a moment of a release: what the objects of config are then, and how traffic is to be shared out. */
interface Moment {
  name: string;
  ingresses: IngressObject[];
  /** The color that gets everybody who is not shared out. */
  main: Color;
  /** The color that header and cookie show. */
  shown: Color;
  canaryWeight: number;
}

function ingressesOf(of: Way<string>): IngressObject[] {
  return nginx
    .objects(of)
    .filter(({ kind }) => kind === "Ingress")
    .map(({ name, annotations, spec }) => ({
      metadata: { name, annotations },
      spec: spec as IngressObject["spec"],
    }));
}

/** All orders in which the same things may come. */
function orders<T>(of: readonly T[]): T[][] {
  if (of.length < 2) return [[...of]];
  return of.flatMap((first, index) => orders(of.toSpliced(index, 1)).map((rest) => [first, ...rest]));
}

function moment(name: string, of: Way<string>): Moment {
  const { active, weights } = of;
  const idle = otherColor(active);
  return { name, ingresses: ingressesOf(of), main: active, shown: idle, canaryWeight: weights[idle] };
}

/** A change of both objects, by patches: before, cut off after each of them, and done. */
function patched(name: string, from: Moment, weights: Weights, active: Color): Moment[] {
  const at = nginx.weights?.at(app).map((each) => each.name) ?? [];
  const found = at.map((each) => from.ingresses.find(({ metadata }) => metadata.name === each));
  const patches = nginx.weights?.patches(app, found, weights, active) ?? [];
  return [1, 2].map((done) => ({
    name: `${name}, ${done} of 2 patches`,
    ingresses: from.ingresses.map((each) => {
      const index = at.indexOf(each.metadata.name);
      return index !== -1 && index < done ? (apply(each, patches[index] ?? []) as IngressObject) : each;
    }),
    main: active,
    shown: done === 2 ? otherColor(active) : from.shown,
    // Until the second patch the weight is that of before: of the color that everybody is on by then, or of none.
    canaryWeight: done === 2 ? weights[otherColor(active)] : from.shown === active ? 0 : from.canaryWeight,
  }));
}

/** The same by an update, which changes them side by side: each may be first. */
function updated(name: string, from: Moment, to: Moment): Moment[] {
  return from.ingresses.map((changed) => {
    const ingresses = from.ingresses.map((each) =>
      each === changed
        ? (to.ingresses.find(({ metadata }) => metadata.name === each.metadata.name) ?? each)
        : each,
    );
    const isMain = changed.metadata.name === "chatgpt-app-ingress";
    const isCanary = changed.metadata.name === "chatgpt-app-ingress-idle";
    const main = isMain ? to.main : from.main;
    const shown = isCanary ? to.shown : from.shown;
    const canaryWeight = isCanary ? to.canaryWeight : from.canaryWeight;
    return {
      name: `${name}, ${changed.metadata.name} first`,
      ingresses,
      main,
      shown,
      canaryWeight: main === shown ? 0 : canaryWeight,
    };
  });
}

function moments(strategy: TrafficStrategy, affinity: Affinity): Moment[] {
  const at = (active: Color, canaryWeight = 0) =>
    moment(
      `${active} active, ${canaryWeight} %`,
      way({ strategy, affinity, active, moreHosts, weights: weightsOf(active, canaryWeight) }),
    );
  if (strategy === "selector") return [at("blue"), at("green")];
  const [blue, shared, more, green] = [at("blue"), at("blue", 10), at("blue", 50), at("green")];
  return [
    blue,
    shared,
    more,
    green,
    ...updated("a switch", blue, green),
    ...updated("the rollback by config", green, blue),
    ...updated("a shift", blue, shared),
    ...updated("the next step", shared, more),
    ...updated("the last step", more, green),
    ...patched("the rollback", green, allOn("blue"), "blue"),
    ...patched("the rollback of a shift", shared, allOn("blue"), "blue"),
  ];
}

/** By a model of its rules: there is no ingress-nginx here. */
describe("The ingress of nginx, at every moment of a release, by a model of ingress-nginx", () => {
  const colorOf = (service: string | undefined, { main }: Moment) =>
    service === "chatgpt-app-service" ? main : colors.find((color) => service?.includes(color));

  for (const strategy of ["selector", "weighted"] as const)
    for (const affinity of ["none", "cookie"] as const) {
      let all: Moment[] = [];
      const each = (check: (nginx: IngressNginx, moment: Moment, order: string) => void) => {
        for (const now of all)
          for (const order of orders(now.ingresses)) {
            const names = order.map(({ metadata }) => metadata.name).join(", ");
            check(new IngressNginx(order), now, `${now.name}; ${names}`);
          }
      };

      describe(`with strategy ${strategy} and affinity ${affinity}`, () => {
        before(() => {
          all = moments(strategy, affinity);
        });

        it("names no Service in a canary and in an ordinary Ingress", () => {
          const services = (isCanary: boolean) =>
            all.map(({ ingresses }) =>
              ingresses
                .filter(
                  ({ metadata }) =>
                    (metadata.annotations["nginx.ingress.kubernetes.io/canary"] === "true") === isCanary,
                )
                .flatMap(({ spec }) => spec.rules.flatMap(({ http }) => http.paths))
                .map(({ backend }) => backend.service.name),
            );
          const [canary, ordinary] = [services(true), services(false)];
          expect(canary.flat()).not.to.deep.equal([]);
          expect(canary.flat().filter((name) => ordinary.flat().includes(name))).to.deep.equal([]);
        });

        it("sends users to their color, and to the other one by its weight, whichever Ingress is older", () => {
          each((edge, now, order) => {
            expect(edge.inert, order).to.deep.equal([]);
            for (const asked of [host, ...moreHosts].flatMap((each) =>
              [1, 100].map((drawn) => ({ host: each, path: "/mcp", drawn })),
            ))
              expect(colorOf(edge.answer(asked), now), `${order}; ${JSON.stringify(asked)}`).to.equal(
                asked.drawn <= now.canaryWeight ? otherColor(now.main) : now.main,
              );
          });
        });

        it("shows testers the colors that they ask for", () => {
          each((edge, now, order) => {
            for (const color of colors)
              expect(edge.answer({ host, path: `/${color}/health` }), order).to.equal(`chatgpt-app-${color}`);
            for (const asked of [
              { headers: { "x-bluegreen-preview": "hunter2" } },
              { cookies: { "bluegreen-preview-hunter2": "always" } },
            ])
              expect(colorOf(edge.answer({ host, path: "/", ...asked }), now), order).to.equal(now.shown);
          });
        });

        it("keeps nobody on a color without a weight, by whatever cookie they have", () => {
          each((edge, now, order) => {
            if (now.canaryWeight > 0) return;
            for (const service of ["service", ...colors.flatMap((color) => [color, `${color}-canary`])])
              expect(
                colorOf(edge.answer({ host, path: "/", affinity: `chatgpt-app-${service}` }), now),
                `${order}; ${service}`,
              ).to.equal(now.main);
          });
        });

        if (strategy === "weighted" && affinity === "cookie")
          it("keeps those who came by a canary weight there, and those who did not where they are", () => {
            each((edge, now, order) => {
              if (now.canaryWeight === 0 || now.main === now.shown) return;
              const by = (affinity: string, drawn: number) =>
                colorOf(edge.answer({ host, path: "/", affinity: `chatgpt-app-${affinity}`, drawn }), now);
              expect(by(`${now.shown}-canary`, 100), order).to.equal(now.shown);
              expect(by(now.main, 1), order).to.equal(now.main);
            });
          });
      });
    }
});
