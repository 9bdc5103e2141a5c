import { hostname } from "node:os";
import { expect } from "chai";
import { holderName } from "@bluegreen/release/util/who";

describe("Who holds something", () => {
  it("is a person, a machine and a process", () => {
    expect(holderName({})).to.match(new RegExp(`^\\S.*@${hostname()} pid ${process.pid}$`));
  });

  it("is in CI a person, and the run to look at", () => {
    const github = {
      GITHUB_ACTOR: "anna",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "you/app",
      GITHUB_RUN_ID: "42",
    };
    expect(holderName(github)).to.equal("anna, https://github.com/you/app/actions/runs/42");
    expect(
      holderName({ GITLAB_USER_LOGIN: "bob", CI_JOB_URL: "https://gitlab.example.com/you/app/-/jobs/7" }),
    ).to.equal("bob, https://gitlab.example.com/you/app/-/jobs/7");
  });
});
