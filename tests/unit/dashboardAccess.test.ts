import { expect } from "chai";
import { tokenCookie, whyRefused, type Access, type Asked } from "../../cli/dashboard/access";

const access: Access = { host: "127.0.0.1:8123", token: "t0ken", path: "/p4th/" };
const own = { host: access.host, cookie: "other=1; bluegreen=t0ken", origin: "http://127.0.0.1:8123" };

describe("The door of the dashboard", () => {
  it("opens for the address that was printed, and then for its cookie", () => {
    expect(whyRefused({ method: "GET", headers: { host: access.host } }, access, "t0ken")).to.equal(
      undefined,
    );
    expect(whyRefused({ method: "GET", headers: { host: own.host, cookie: own.cookie } }, access)).to.equal(
      undefined,
    );
    expect(whyRefused({ method: "POST", headers: own }, access)).to.equal(undefined);
  });

  const strangers: { who: string; asked: Asked; named?: string; says: string }[] = [
    {
      who: "without a token",
      asked: { method: "GET", headers: { host: own.host } },
      says: "token is missing",
    },
    {
      who: "with an empty one",
      asked: { method: "GET", headers: { host: own.host, cookie: "bluegreen=" } },
      says: "token is missing",
    },
    {
      who: "with a part of it",
      asked: { method: "GET", headers: { host: own.host, cookie: "bluegreen=t0ke" } },
      says: "token is missing",
    },
    {
      who: "with a wrong one beside the right cookie",
      asked: { method: "GET", headers: own },
      named: "other",
      says: "token is missing",
    },
    {
      who: "by a foreign name that leads here",
      asked: { method: "GET", headers: { ...own, host: "evil.example:8123" } },
      says: 'host "evil.example:8123"',
    },
    {
      who: "by another port",
      asked: { method: "GET", headers: { ...own, host: "127.0.0.1:9" } },
      says: "host",
    },
    { who: "without a host", asked: { method: "GET", headers: { cookie: own.cookie } }, says: "host" },
    {
      who: "from a foreign page",
      asked: { method: "POST", headers: { ...own, origin: "http://evil.example" } },
      says: 'origin "http://evil.example"',
    },
    {
      who: "from a page without one of its own",
      asked: { method: "POST", headers: { ...own, origin: "null" } },
      says: 'origin "null"',
    },
    {
      who: "from another server of this machine",
      asked: { method: "GET", headers: { ...own, origin: "http://127.0.0.1:9" } },
      says: "origin",
    },
    {
      who: "to change something, and no page at all",
      asked: { method: "POST", headers: { host: own.host, cookie: own.cookie } },
      says: "without an origin",
    },
  ];
  for (const { who, asked, named, says } of strangers) {
    it(`stays closed for whoever comes ${who}`, () => {
      expect(whyRefused(asked, access, named)).to.contain(says);
    });
  }

  it("has a key that scripts cannot read, that no foreign page sends, and that other ports of the machine never see", () => {
    expect(tokenCookie(access)).to.equal("bluegreen=t0ken; Path=/p4th/; HttpOnly; SameSite=Strict");
  });
});
