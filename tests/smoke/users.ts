import { expect } from "chai";
import { PATHS, UNKNOWN_USER_ID, USER_ID } from "./support/app";
import { request, TEST_LIMIT_MS } from "./support/target";

// Both read from the database by the columns of this release, which fails on a schema without them.
describe("Users", () => {
  it("finds a user, or says that there is none with this id", async () => {
    const response = await request(PATHS.user(USER_ID));
    const body: unknown = await response.json();
    // A name from SMOKE_USER_ID is a promise that the user exists.
    expect(response.status, JSON.stringify(body)).to.be.oneOf(
      process.env["SMOKE_USER_ID"] === undefined ? [200, 404] : [200],
    );
    if (response.status === 200) expect(body).to.have.property("id", USER_ID);
  }).timeout(TEST_LIMIT_MS);

  it("answers 404 with JSON for a user that does not exist", async () => {
    const response = await request(PATHS.user(UNKNOWN_USER_ID));
    const body: unknown = await response.json();
    expect(response.status, JSON.stringify(body)).to.equal(404);
    expect(body).to.have.property("error").that.is.a("string");
  }).timeout(TEST_LIMIT_MS);
});
