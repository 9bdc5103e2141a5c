import type { ServerResponse } from "node:http";
import { expect } from "chai";
import type { V1Pod, V1PodStatus } from "@bluegreen/release/kubernetes/client";
import { fetchText, NoAnswerError } from "@bluegreen/release/util/http";
import { askDirectly } from "@bluegreen/release/kubernetes/pods";
import { askPrometheus } from "@bluegreen/release/analysis/prometheus";
import { askWebhook } from "@bluegreen/release/analysis/webhook";
import type { AnalysisLimits } from "@bluegreen/release/analysis/limits";
import { startServer, type HttpServer } from "../support/httpServer";
import { held } from "./observations";

type Handler = (response: ServerResponse) => void;

/** What servers do, on a good day and on others. */
const answers = {
  never: () => undefined,
  halfAndNoMore: (response) => void response.write('{"healthy":'),
  endless: (response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(64 * 1024)));
    };
    response.on("drain", more);
    more();
  },
  huge: (response) => void response.end("x".repeat(8 * 1024 * 1024)),
  cutOff: (response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("x", () => response.destroy());
  },
  garbage: (response) => void response.end(Buffer.from([0xff, 0x00, 0x7b])),
} satisfies Record<string, Handler>;

const secret = "t0ps3cret";

describe("Asking a server", () => {
  let server: HttpServer;
  let handle: Handler;
  let asked: { path: string; body: string; authorization: string | undefined }[];
  const signal = new AbortController().signal;
  const says = (text: string, status = 200) => {
    handle = (response) => void response.writeHead(status).end(text);
  };

  before(async () => {
    server = await startServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        asked.push({ path: request.url ?? "", body, authorization: request.headers.authorization });
        handle(response);
      });
    });
  });
  beforeEach(() => {
    asked = [];
  });
  after(() => server.close());

  describe("anything", () => {
    const failure = async (
      url = `${server.url}/x?token=${secret}`,
      timeoutMs = 10_000,
      ends: AbortSignal = signal,
    ): Promise<string> => {
      try {
        const answer = await fetchText(url, { maxBytes: 64 * 1024, timeoutMs, signal: ends });
        return `answered ${answer.status}`;
      } catch (error) {
        expect(error).to.be.instanceOf(NoAnswerError);
        const { message, cause } = error as NoAnswerError;
        expect(message).not.to.contain(secret).and.not.to.contain("127.0.0.1");
        expect(cause).to.equal(undefined);
        return message;
      }
    };

    it("gives the text and the status, whatever that is", async () => {
      says("no such thing", 404);
      const parts: string[] = [];
      const onText = (part: string) => void parts.push(part);
      expect(await fetchText(server.url, { maxBytes: 100, timeoutMs: 10_000, onText })).to.have.property(
        "text",
        "",
      );
      expect(await fetchText(server.url, { maxBytes: 100, timeoutMs: 10_000 })).to.have.property(
        "text",
        parts.join(""),
      );
      expect(await fetchText(server.url, { maxBytes: 100, timeoutMs: 10_000 })).to.deep.equal({
        status: 404,
        text: "no such thing",
      });
    });

    it("ends where there is no answer, or only the beginning of one", async () => {
      handle = answers.never;
      expect(await failure(undefined, 200)).to.equal("no answer within 0.2 s");
      handle = answers.halfAndNoMore;
      expect(await failure(undefined, 200)).to.equal("no answer within 0.2 s");
    });

    it("reads no more than it may of what is huge or has no end, and ends the connection", async () => {
      for (const handler of [answers.huge, answers.endless]) {
        const closed = new Promise<void>((done) => {
          handle = (response) => {
            response.once("close", done);
            handler(response);
          };
        });
        expect(await failure()).to.equal("its answer is larger than 65536 bytes");
        await closed;
      }
    });

    it("says that a connection broke, or that there is none, and never to where", async () => {
      handle = answers.cutOff;
      expect(await failure()).to.match(/^the connection failed/);
      const gone = await startServer(() => undefined);
      await gone.close();
      expect(await failure(`http://user:${secret}@127.0.0.1:${gone.port}/`)).to.equal(
        "the connection failed (ECONNREFUSED)",
      );
    });

    it("refuses what is no address without repeating it", async () => {
      for (const url of [
        `not a url ${secret}`,
        `ftp://${secret}@127.0.0.1/`,
        `file:///${secret}`,
        `http://${secret}:99999/`,
        "",
      ]) {
        expect(await failure(url), url).to.equal("its URL is not an http or https address");
      }
      expect(await failure(`http://a%ff:${secret}@127.0.0.1:${server.port}/`)).to.be.a("string");
    });

    it("does not follow a redirect: what it sends is meant for one place", async () => {
      handle = (response) => void response.writeHead(302, { location: `${server.url}/elsewhere` }).end();
      expect(await failure()).to.equal("answered 302");
      expect(asked).to.have.length(1);
    });

    it("sends user and password of an address as authorization", async () => {
      says("{}");
      await fetchText(`http://me:p%40ss@127.0.0.1:${server.port}/`, { maxBytes: 100, timeoutMs: 10_000 });
      expect(asked[0]?.authorization).to.equal(`Basic ${Buffer.from("me:p@ss").toString("base64")}`);
    });

    it("stops when it is told to", async () => {
      const controller = new AbortController();
      handle = () => {
        controller.abort();
      };
      expect(await failure(undefined, 10_000, controller.signal)).to.equal("there was no time left to ask");
    });
  });

  describe("a pod at its own address", () => {
    const pod = (
      status: V1PodStatus = { phase: "Running", podIP: "127.0.0.1" },
      portName = "http",
    ): V1Pod => ({
      metadata: { name: "p" },
      spec: { containers: [{ name: "mcp-server", ports: [{ name: portName, containerPort: server.port }] }] },
      status,
    });
    const bounds = { maxBytes: 100, timeoutMs: 10_000 };

    it("gives what it answers, ready or not", async () => {
      says('{"ready":false}', 503);
      expect(await askDirectly(pod(), "/ready", bounds)).to.equal('{"ready":false}');
      expect(asked[0]?.path).to.equal("/ready");
    });

    it("is asked for nothing by a path that names another server, whoever has written it into a probe", async () => {
      let elsewhere = 0;
      const other = await startServer((_request, response) => {
        elsewhere += 1;
        response.end("{}");
      });
      const address = other.url.slice("http://".length);
      says("of the pod");
      for (const path of [
        `@${address}/x`,
        `//${address}/x`,
        `\\\\${address}/x`,
        `http://${address}/x`,
        `:1@${address}/x`,
        ".example.com/x",
      ]) {
        const answered = await askDirectly(pod(), path, bounds).catch((error: unknown) => error);
        if (answered !== "of the pod") expect(answered, path).to.be.instanceOf(NoAnswerError);
      }
      await other.close();
      expect(elsewhere).to.equal(0);
    });

    it("does not try where there is no process, address or port to ask", async () => {
      for (const each of [
        pod({ phase: "Pending", podIP: "127.0.0.1" }),
        pod({ phase: "Running" }),
        pod(undefined, "metrics"),
      ]) {
        const failed = await askDirectly(each, "/metrics", bounds).catch((error: unknown) => error);
        expect(failed).to.be.instanceOf(NoAnswerError);
      }
      expect(asked).to.be.empty;
    });
  });

  describe("Prometheus", () => {
    const ask = async (url = server.url) => {
      const [observation] = await askPrometheus(
        {
          prometheusUrl: url,
          prometheusQueries: [{ ...held, name: "lag", query: 'max(lag{app="a b"}) > 0', max: 5 }],
        },
        "green",
        signal,
      );
      return observation;
    };
    const vector = (...values: string[]) =>
      JSON.stringify({
        status: "success",
        data: {
          resultType: "vector",
          result: values.map((value) => ({ metric: {}, value: [1700000000.1, value] })),
        },
      });
    const noData = (why: string) => ({ ...held, name: "lag", max: 5, noData: why });

    it("gives a scalar, and of a vector the worst value", async () => {
      says(
        JSON.stringify({ status: "success", data: { resultType: "scalar", result: [1700000000, "4.5"] } }),
      );
      expect(await ask()).to.deep.equal({ ...held, name: "lag", max: 5, value: 4.5 });
      says(vector("1", "7", "NaN", "3"));
      expect(await ask()).to.deep.equal({ ...held, name: "lag", max: 5, value: 7 });
    });

    it("is asked below its path and with the parameters of its address", async () => {
      says(vector("1"));
      await ask(`${server.url}/prometheus/?tenant=t`);
      expect(asked[0]?.path).to.match(/^\/prometheus\/api\/v1\/query\?tenant=t&query=max/);
      expect(new URL(asked[0]?.path ?? "", server.url).searchParams.get("query")).to.equal(
        'max(lag{app="a b"}) > 0',
      );
    });

    it("gives no data where it finds no series or no number", async () => {
      says(vector());
      expect(await ask()).to.deep.equal(noData("the query found no series"));
      says(vector("NaN", "+Inf"));
      expect(await ask()).to.deep.equal(noData("the query gave no number"));
    });

    it("gives no data where it refuses, redirects, or says what nobody can read", async () => {
      for (const status of [400, 302, 503]) {
        says(JSON.stringify({ status: "error", error: secret }), status);
        expect(await ask()).to.deep.equal(noData(`Prometheus answers ${status}`));
      }
      const unreadable = [
        "",
        "<html>",
        "[]",
        "null",
        '{"status":"error"}',
        '{"status":"success","data":{"resultType":"matrix","result":[]}}',
        '{"status":"success","data":{"resultType":"vector","result":[{"value":[1]}]}}',
      ];
      for (const text of unreadable) {
        says(text);
        expect(await ask(), text).to.deep.equal(
          noData("the answer is not a scalar or a vector of Prometheus"),
        );
      }
    });

    it("gives no data where it cannot be reached, has no end, or has no address", async () => {
      handle = answers.endless;
      expect(await ask()).to.deep.equal(noData("its answer is larger than 1048576 bytes"));
      expect(await ask(`nonsense ${secret}`)).to.deep.equal(
        noData("its URL is not an http or https address"),
      );
      handle = answers.cutOff;
      expect(await ask())
        .to.have.property("noData")
        .that.matches(/^the connection failed/);
    });

    it("is asked about the color, and about the other one where that is what it is compared with", async () => {
      handle = (response) => {
        const query = new URL(response.req.url ?? "", server.url).searchParams.get("query") ?? "";
        response.end(vector(...(query.includes("green") ? ["7", "2"] : ["3"])));
      };
      const query = { ...held, name: "slow", query: 'slow{version="{{color}}"}', min: 1, maxTimes: 2 };
      const of = (prometheusQueries: AnalysisLimits["prometheusQueries"]) =>
        askPrometheus({ prometheusUrl: server.url, prometheusQueries }, "green", signal);
      const [before] = await of([query]);
      expect(before).to.include({ value: 7, smallest: 2 }).and.not.have.property("reference");
      const [idle] = await of([{ ...query, comparedWith: "idle" }]);
      expect(idle).to.include({ value: 7, smallest: 2, reference: 3 }).and.not.have.property("query");
    });

    it("is not asked where no address is set", async () => {
      expect(
        await askPrometheus(
          { prometheusUrl: "", prometheusQueries: [{ ...held, name: "lag", query: "lag", max: 5 }] },
          "green",
          signal,
        ),
      ).to.deep.equal([]);
    });
  });

  describe("a web hook", () => {
    const ask = () =>
      askWebhook(`${server.url}/hook?token=${secret}`, { color: "green", traffic: { requests: 12 } }, signal);

    it("is shown the observation and believed", async () => {
      says('{"healthy":true}');
      expect(await ask()).to.deep.equal({ healthy: true });
      expect(JSON.parse(asked[0]?.body ?? "")).to.deep.equal({ color: "green", traffic: { requests: 12 } });
      says('{"healthy":false,"reason":"orders fell","more":1}');
      expect(await ask()).to.deep.equal({ healthy: false, reason: "orders fell" });
    });

    it("may give no reason, or too long a one", async () => {
      says('{"healthy":false}');
      expect(await ask()).to.deep.equal({ healthy: false, reason: "it gives no reason" });
      says(JSON.stringify({ healthy: false, reason: `\u001b[2J${"z".repeat(5000)}` }));
      expect(await ask())
        .to.have.property("reason")
        .that.has.length(200);
    });

    it("gives no data with anything else", async () => {
      for (const text of [
        "",
        "ok",
        "null",
        "true",
        "[]",
        '{"healthy":"yes"}',
        '{"healthy":false,"reason":5}',
      ]) {
        says(text);
        expect(await ask(), text).to.deep.equal({
          noData: "the web hook's answer is not {healthy: true or false}",
        });
      }
      for (const status of [204, 302, 404, 500]) {
        says("", status);
        expect(await ask()).to.deep.equal({ noData: `the web hook answers ${status}` });
      }
      for (const handler of [answers.huge, answers.endless]) {
        handle = handler;
        expect(await ask()).to.deep.equal({ noData: "its answer is larger than 65536 bytes" });
      }
      handle = answers.garbage;
      expect(await ask()).to.have.property("noData");
    });
  });
});
