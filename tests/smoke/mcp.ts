import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { expect } from "chai";
import { expected, request, TEST_LIMIT_MS, urlOf } from "./support/target";
import { PATHS, TOOL, UNKNOWN_USER_ID } from "./support/app";

describe("MCP server", () => {
  it("describes itself and its tools to plain requests", async () => {
    const response = await request(PATHS.mcp);
    const body: unknown = await response.json();
    expect(response.status).to.equal(200);
    expect(body).to.have.property("name").that.is.a("string");
    expect(body).to.have.property("version", expected("EXPECT_VERSION"));
    expect(body).to.have.property("tools").that.is.an("array");
    expect(JSON.stringify(body)).to.include(`"name":"${TOOL}"`);
  }).timeout(TEST_LIMIT_MS);

  it("lets a client of the protocol initialize and list the tools", async () => {
    await withClient(async (client) => {
      const { tools } = await client.listTools();
      expect(tools.map((tool) => tool.name)).to.include(TOOL);
    });
  }).timeout(TEST_LIMIT_MS);

  it("executes the tool for a client of the protocol", async () => {
    await withClient(async (client) => {
      const result = await client.callTool({ name: TOOL, arguments: { userId: UNKNOWN_USER_ID } });
      expect(result["isError"] ?? false, JSON.stringify(result)).to.equal(false);
      expect(result).to.have.property("content").that.is.an("array").that.is.not.empty;
    });
  }).timeout(TEST_LIMIT_MS);

  it("executes the tool for a plain JSON request", async () => {
    const response = await request(PATHS.mcp, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: TOOL, arguments: { userId: UNKNOWN_USER_ID } },
      }),
    });
    const body: unknown = await response.json();
    expect(response.status, JSON.stringify(body)).to.equal(200);
    expect(body).to.have.property("result");
    expect(body, JSON.stringify(body)).not.to.have.nested.property("result.isError", true);
  }).timeout(TEST_LIMIT_MS);
});

async function withClient(use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ name: "smoke", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(urlOf(PATHS.mcp)));
  try {
    await use(client);
  } finally {
    await client.close();
  }
}
