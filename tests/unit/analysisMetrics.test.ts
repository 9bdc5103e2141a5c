import { expect } from "chai";
import {
  maxMetricsBytes,
  readRequestCounters as readCounters,
  RequestText,
} from "@bluegreen/release/analysis/requestMetrics";
import { quantile, trafficBetween } from "@bluegreen/release/analysis/traffic";
import { counters, limits, metricsText, pod } from "./observations";

const readRequestCounters = (text: string) => readCounters(text, limits.metrics);

describe("The metrics of a pod", () => {
  it("are added up over all routes and methods, with 5xx apart", () => {
    const read = readRequestCounters(
      metricsText([
        { requests: 90 },
        { route: "/api/users/:id", requests: 8, each: 0.3 },
        { status: 500, requests: 2 },
        { status: 499, requests: 1 },
      ]),
    );
    expect(read).to.deep.include({ requests: 101, serverErrors: 2, malformed: 0 });
    expect(read?.seconds).to.be.closeTo(93 * 0.04 + 8 * 0.3, 1e-9);
    expect(read?.buckets).to.deep.include({ "0.025": 0, "0.05": 93, "0.25": 93, "0.5": 101, "+Inf": 101 });
  });

  it("leave out the probes and the collection of metrics: a pod that only those ask is not in use", () => {
    const read = readRequestCounters(
      metricsText([
        { route: "/health", requests: 50 },
        { route: "/ready", status: 503, requests: 20 },
        { route: "/metrics", requests: 9 },
      ]),
    );
    expect(read).to.deep.include({ requests: 0, serverErrors: 0, seconds: 0, buckets: {}, malformed: 0 });
  });

  it("are the same in whatever parts they come, each letter by itself included", () => {
    const text = metricsText([{ requests: 90 }, { status: 500, requests: 2 }]).trimEnd();
    for (const size of [1, 7, 1000, text.length]) {
      const requests = new RequestText(limits.metrics);
      for (let at = 0; at < text.length; at += size) requests.add(text.slice(at, at + size));
      expect(requests.counters(), `parts of ${size}`).to.deep.equal(readRequestCounters(text));
    }
  });

  it("are zero where nobody has asked yet, and missing where there are none", () => {
    expect(readRequestCounters(metricsText([]))).to.deep.include({ requests: 0, malformed: 0 });
    for (const text of [
      "",
      "process_cpu_seconds_total 3\n",
      "<html>not found</html>",
      "http_request_duration_seconds_v2_count 5\nhttp_request_duration_seconds_counted 5",
      "# TYPE http_request_duration_seconds_v2 histogram\n",
    ]) {
      expect(readRequestCounters(text), text).to.equal(undefined);
    }
  });

  it("are read whatever the values of labels hold, with time stamps, exemplars and other ways to write a number", () => {
    const lines = [
      String.raw`http_request_duration_seconds_count{route="/a}b,\"c\" {x=\"1\"} 9",status="502"} 3 1700000000000`,
      `http_request_duration_seconds_bucket{ le = "5.0" , status="200", } 1e2 # {trace_id="abc"} 0.3`,
      `http_request_duration_seconds_bucket{le="5",status="502"} 1\r`,
      `http_request_duration_seconds_count 4`,
      `http_request_duration_seconds_sum{} 2.5`,
      `http_request_duration_seconds_created{status="200"} 1.7e9`,
    ];
    expect(readRequestCounters(lines.join("\n"))).to.deep.equal({
      requests: 7,
      serverErrors: 3,
      clientErrors: 0,
      unclassified: 4,
      timed: 7,
      seconds: 2.5,
      buckets: { "5": 101 },
      malformed: 0,
      source: "http_request_duration_seconds by status",
    });
  });

  it("skip and count each line that makes no sense, and read all others", () => {
    const nonsense = [
      "http_request_duration_seconds_count",
      "http_request_duration_seconds_count{",
      'http_request_duration_seconds_count{status="200" 5',
      "http_request_duration_seconds_count{status=200} 5",
      'http_request_duration_seconds_count{status="200"} NaN',
      'http_request_duration_seconds_count{status="200"} -5',
      'http_request_duration_seconds_count{status="200"} 0x10',
      'http_request_duration_seconds_count{status="200"} 1.2.3',
      "http_request_duration_seconds_sum +Inf",
      'http_request_duration_seconds_bucket{status="200"} 5',
      'http_request_duration_seconds_bucket{le="soon"} 5',
      `http_request_duration_seconds_count{route="${"x\\\\".repeat(1_000_000)}"} 5`,
      "http_request_duration_seconds_sum\u0000\uFFFD",
    ];
    expect(readRequestCounters(`${nonsense.join("\n")}\n${metricsText([{ requests: 7 }])}`)).to.deep.include({
      requests: 7,
      malformed: nonsense.length,
    });
  });

  it("of more lines than could be counters are not read at all: a part would look like a restart", () => {
    expect(readRequestCounters(metricsText([{ requests: 7 }]) + "\n".repeat(maxMetricsBytes))).to.equal(
      undefined,
    );
  });

  it("of an app with many routes are within the bound in bytes", () => {
    const series = Array.from({ length: 2000 }, (_, index) => ({
      route: `/api/v2/some/resource/number/${index}`,
      requests: 1,
    }));
    const text = metricsText(series);
    expect(Buffer.byteLength(text)).to.be.within(maxMetricsBytes / 2, maxMetricsBytes);
    expect(readRequestCounters(text)).to.deep.include({ requests: 2000 });
  });

  it("keep the exact total when there are more bounds than are kept", () => {
    const lines = Array.from(
      { length: 500 },
      (_, index) => `http_request_duration_seconds_bucket{le="${index + 1}"} ${index}`,
    );
    const read = readRequestCounters(
      [...lines, 'http_request_duration_seconds_bucket{le="+Inf"} 500'].join("\n"),
    );
    expect(Object.keys(read?.buckets ?? {})).to.have.length.below(100);
    expect(read?.buckets["+Inf"]).to.equal(500);
  });

  it("stay what they are in JSON", () => {
    const read = readRequestCounters(metricsText([{ requests: 7 }]));
    expect(JSON.parse(JSON.stringify(read))).to.deep.equal(read);
  });
});

describe("The metrics of other libraries", () => {
  const read = (text: string, source = {}) => readCounters(text, { ...limits.metrics, ...source });
  const figures = (text: string, source = {}) => {
    const counters = read(text, source);
    return counters && [counters.requests, counters.serverErrors, counters.unclassified, counters.source];
  };
  // As each library writes it, without the lines that are about something else.
  for (const [library, text, expected] of [
    [
      "express-prom-bundle",
      'http_request_duration_seconds_count{status_code="200",method="GET"} 90\nhttp_request_duration_seconds_count{status_code="500",method="GET"} 10',
      [100, 10, 0, "http_request_duration_seconds by status_code"],
    ],
    [
      "Go's promhttp",
      'http_requests_total{code="200",method="get"} 90\nhttp_requests_total{code="503",method="get"} 10\nhttp_request_duration_seconds_count{method="get"} 100',
      [100, 10, 0, "http_requests_total by code, http_request_duration_seconds"],
    ],
    [
      "FastAPI's instrumentator",
      'http_requests_total{handler="/x",method="GET",status="2xx"} 90.0\nhttp_requests_total{handler="/x",method="GET",status="5xx"} 10.0\nhttp_request_duration_seconds_count{handler="/x",method="GET"} 100.0',
      [100, 10, 0, "http_requests_total by status, http_request_duration_seconds"],
    ],
    [
      "OpenTelemetry",
      'http_server_request_duration_seconds_count{http_response_status_code="200",http_route="/x"} 90\nhttp_server_request_duration_seconds_count{http_response_status_code="500",http_route="/x"} 10',
      [100, 10, 0, "http_server_request_duration_seconds by http_response_status_code"],
    ],
    [
      "Spring",
      'http_server_requests_seconds_count{outcome="SUCCESS",status="200",uri="/x"} 90\nhttp_server_requests_seconds_count{outcome="SERVER_ERROR",status="500",uri="/x"} 10\nhttp_server_requests_seconds_max{status="200",uri="/x"} 0.2',
      [100, 10, 0, "http_server_requests_seconds by status"],
    ],
    [
      "Django",
      'django_http_responses_total_by_status_total{status="200"} 90.0\ndjango_http_responses_total_by_status_total{status="500"} 10.0\ndjango_http_requests_latency_seconds_by_view_method_count{method="GET",view="index"} 100.0',
      [
        100,
        10,
        0,
        "django_http_responses_total_by_status_total by status, django_http_requests_latency_seconds_by_view_method",
      ],
    ],
    [
      "Rails",
      'rails_requests_total{status="200"} 90\nrails_requests_total{status="500"} 10\nrails_request_duration_seconds_count{status="200"} 90\nrails_request_duration_seconds_count{status="500"} 10',
      [100, 10, 0, "rails_request_duration_seconds by status"],
    ],
    [
      "Flask",
      'flask_http_request_duration_seconds_count{method="GET",path="/x",status="200"} 90\nflask_http_request_duration_seconds_count{method="GET",path="/x",status="500"} 10',
      [100, 10, 0, "flask_http_request_duration_seconds by status"],
    ],
    [
      "nginx, which tells no status",
      "nginx_http_requests_total 100",
      [100, 0, 100, "nginx_http_requests_total"],
    ],
  ] as const) {
    it(`are known: ${library}`, () => {
      expect(figures(text)).to.deep.equal(expected);
    });
  }

  it("count milliseconds as what they are", () => {
    const counters = read(
      'http_server_duration_milliseconds_bucket{http_status_code="200",le="250"} 3\nhttp_server_duration_milliseconds_sum{http_status_code="200"} 600\nhttp_server_duration_milliseconds_count{http_status_code="200"} 3',
    );
    expect(counters).to.deep.include({ seconds: 0.6, buckets: { "0.25": 3 } });
  });

  it("leave out the probes of config, whatever the label of the path is called", () => {
    const text =
      'http_requests_total{handler="/healthz",code="503"} 12\nhttp_requests_total{handler="/x",code="200"} 5';
    expect(figures(text, { ownPaths: ["/healthz"] })?.slice(0, 2)).to.deep.equal([5, 0]);
    expect(figures(text)?.slice(0, 2), "another app's probes").to.deep.equal([17, 12]);
  });

  it("are one's own where config names them", () => {
    const text =
      'calls_total{result="ok",to="/x"} 90\ncalls_total{result="boom",to="/x"} 10\ncalls_total{to="/live"} 7';
    expect(
      figures(text, {
        name: "calls_total",
        statusLabel: "result",
        errorStatus: "boom|timeout",
        pathLabel: "to",
        ownPaths: ["/live"],
      }),
    ).to.deep.equal([100, 10, 0, "calls_total by result"]);
  });

  it("are no requests where the metric is another one's that begins with the same words", () => {
    expect(
      figures('http_requests_total_v2 7\npromhttp_metric_handler_requests_total{code="200"} 3'),
    ).to.equal(undefined);
  });
});

describe("Traffic between two observations", () => {
  const between = (before: Parameters<typeof counters>[0], now: Parameters<typeof counters>[0]) =>
    trafficBetween([pod({ counters: counters(before) })], [pod({ counters: counters(now) })]);

  it("is what has been added", () => {
    expect(between({ requests: 100, serverErrors: 3 }, { requests: 150, serverErrors: 4 })).to.deep.include({
      pods: 1,
      measuredPods: 1,
      requests: 50,
      serverErrors: 1,
    });
  });

  it("is of all pods together: one slow pod among nine is in the percentile, and hardly in the average", () => {
    const names = Array.from({ length: 10 }, (_, index) => `pod-${index}`);
    const before = names.map((name) => pod({ name }));
    const now = names.map((name, index) =>
      pod({ name, counters: counters({ requests: 100, each: index === 0 ? 7 : 0.04 }) }),
    );
    const traffic = trafficBetween(before, now);
    expect(traffic).to.include({ measuredPods: 10, requests: 1000 });
    expect(traffic.averageSeconds).to.be.closeTo(0.736, 1e-9);
    expect(traffic.p50Seconds).to.be.closeTo(0.025 + 0.025 * (500 / 900), 1e-9);
    expect(traffic.p99Seconds).to.be.closeTo(9.5, 1e-9);
  });

  it("counts from zero after a restart: counters that went down belong to another process", () => {
    expect(between({ requests: 1000, serverErrors: 40 }, { requests: 30, serverErrors: 2 })).to.include({
      requests: 30,
      serverErrors: 2,
    });
  });

  it("sees a restart in any of the figures", () => {
    expect(between({ requests: 100, serverErrors: 40 }, { requests: 120, serverErrors: 1 })).to.include({
      requests: 120,
      serverErrors: 1,
    });
    expect(between({ requests: 100, each: 3 }, { requests: 120, each: 0.01 })).to.include({ requests: 120 });
  });

  it("is unknown where the pod counts by another metric than before", () => {
    const other = { ...counters({ requests: 900 }), source: "http_requests_total by code" };
    expect(
      trafficBetween([pod({ counters: counters({ requests: 5 }) })], [pod({ counters: other })]),
    ).to.include({ measuredPods: 0, requests: 0 });
    expect(trafficBetween([pod()], [pod({ counters: other })]), "nobody had asked yet").to.include({
      requests: 900,
    });
  });

  it("counts all of a pod that was not there before", () => {
    expect(trafficBetween([], [pod({ counters: counters({ requests: 12 }) })])).to.include({
      requests: 12,
      measuredPods: 1,
    });
  });

  it("is unknown for a pod that does not answer, that never had, or whose text was garbled", () => {
    const silent = { ...pod(), answered: false, counters: counters({ requests: 500 }) };
    const mute = pod({ name: "mute" });
    delete mute.counters;
    const garbled = pod({ name: "garbled", counters: { ...counters({ requests: 5 }), malformed: 3 } });
    const now = [
      silent,
      pod({ name: "mute", counters: counters({ requests: 900 }) }),
      pod({ name: "garbled", counters: counters({ requests: 900 }) }),
    ];
    expect(trafficBetween([pod(), mute, garbled], now)).to.deep.equal({
      pods: 3,
      measuredPods: 0,
      requests: 0,
      unclassified: 0,
      serverErrors: 0,
      clientErrors: 0,
      timed: 0,
    });
  });

  it("has no average and no percentile without requests", () => {
    expect(between({ requests: 5 }, { requests: 5 })).to.deep.equal({
      pods: 1,
      measuredPods: 1,
      requests: 0,
      unclassified: 0,
      serverErrors: 0,
      clientErrors: 0,
      timed: 0,
    });
  });
});

describe("A quantile", () => {
  it("lies within its bucket as Prometheus has it", () => {
    const buckets = { "0.1": 50, "0.5": 90, "1": 100, "+Inf": 100 };
    expect(quantile(0.5, buckets)).to.be.closeTo(0.1, 1e-9);
    expect(quantile(0.25, buckets)).to.be.closeTo(0.05, 1e-9);
    expect(quantile(0.7, buckets)).to.be.closeTo(0.3, 1e-9);
    expect(quantile(0.99, buckets)).to.be.closeTo(0.95, 1e-9);
  });

  it("beyond the last finite bound is that bound", () => {
    expect(quantile(0.99, { "1": 10, "10": 20, "+Inf": 100 })).to.equal(10);
  });

  it("sorts bounds as numbers, and takes larger buckets for at least as full as smaller ones", () => {
    expect(quantile(0.99, { "10": 5, "2.5": 100, "+Inf": 100 })).to.be.closeTo(2.475, 1e-9);
    expect(quantile(0.99, { "1": 100, "2": 50, "4": 200, "+Inf": 200 })).to.be.closeTo(3.96, 1e-9);
  });

  it("is unknown without observations, without a total and without bounds", () => {
    expect(quantile(0.99, { "1": 0, "+Inf": 0 })).to.equal(undefined);
    expect(quantile(0.99, { "1": 5 })).to.equal(undefined);
    expect(quantile(0.99, { "+Inf": 5 })).to.equal(undefined);
    expect(quantile(0.99, {})).to.equal(undefined);
  });
});
