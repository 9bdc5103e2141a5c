import { expect } from "chai";
import { connect, type Cluster } from "@bluegreen/release";
import { bounded, readSamples, writeSamples, type Sample } from "@bluegreen/release/state/samples";
import { startApiServer, type ApiServer } from "../support/apiServer";

const sample = (index: number, points = 0): Sample => ({
  at: new Date(Date.UTC(2026, 0, 31) + index * 30_000).toISOString(),
  line: `analysis of green ${index}`,
  figures: { requests: 60, errorRatio: 0, p99Seconds: 0.05, ready: 2, pods: 2, logErrors: 0 },
  score: points,
  findings: points === 0 ? [] : [{ what: "restarts", points, text: `restart ${index}` }],
});
const numbersOf = (samples: readonly Sample[]) => samples.map(({ line }) => Number(line.split(" ").at(-1)));

/** Simulated: the API server. */
describe("The samples of an analysis", () => {
  const before = process.env["KUBECONFIG"];
  let api: ApiServer;
  let cluster: Cluster;
  beforeEach(async () => {
    api = await startApiServer();
    process.env["KUBECONFIG"] = api.kubeconfig;
    cluster = connect({ context: "", namespace: "shop", namespacePerColor: false });
  });
  afterEach(async () => {
    if (before === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = before;
    await api.close();
  });

  it("are there for whoever comes next, of this release alone", async () => {
    expect(await readSamples(cluster, "shop", "one")).to.deep.equal([]);
    const samples = [sample(0), sample(1, 3)];
    await writeSamples(cluster, "shop", "one", samples);
    expect(await readSamples(cluster, "shop", "one")).to.deep.equal(samples);
    expect(await readSamples(cluster, "shop", "two")).to.deep.equal([]);
    await writeSamples(cluster, "shop", "two", [sample(2)]);
    expect(numbersOf(await readSamples(cluster, "shop", "two"))).to.deep.equal([2]);
  });

  it("are none where somebody has garbled them", async () => {
    for (const text of ["", "7", "{", '{"release":"one","samples":[{"at":"yesterday"}]}']) {
      api.change("configmaps/shop-release", {
        metadata: { name: "shop-release", namespace: "shop" },
        data: { analysis: text },
      });
      expect(await readSamples(cluster, "shop", "one"), text).to.deep.equal([]);
    }
  });

  it("stay within bounds: the newest, and of the others those that spoke against the version", () => {
    const many = Array.from({ length: 400 }, (_, index) =>
      sample(index, index === 7 || index === 90 ? 3 : 0),
    );
    const numbers = numbersOf(bounded(many));
    expect(numbers).to.have.length(120);
    expect(numbers).to.include.members([7, 90, 399]);
    expect(numbers.slice(2)).to.deep.equal(Array.from({ length: 118 }, (_, index) => 282 + index));
    const long = many.map((each) => ({ ...each, line: "x".repeat(10_000) }));
    expect(Buffer.byteLength(JSON.stringify(bounded(long)))).to.be.at.most(128 * 1024);
    expect(bounded([{ ...sample(0), line: "x".repeat(1_000_000) }]), "never none").to.have.length(1);
  });
});
