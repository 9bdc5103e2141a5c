import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import { z } from "zod";
import { FAULT } from "./build";
import { describeError, type Log } from "./log";
import { user, userId, type Users } from "./users";
import widget from "./widget.html";

export const SERVER_NAME = "chatgpt-app";
const WIDGET_URI = "ui://widget/user.html";
const WIDGET_TYPE = "text/html+skybridge";

const getUserInfo = {
  name: "get_user_info",
  title: "Get user info",
  description: "Use this when the user asks about an account: looks one up by its id.",
  input: z.object({ userId }),
  output: z.object({ found: z.boolean(), user: user.nullable() }),
};

/** What GET /mcp tells about the tools. */
export const toolList = [getUserInfo].map(({ name, title, description, input }) => ({
  name,
  title,
  description,
  inputSchema: z.toJSONSchema(input),
}));

// Shared, because it takes longer to set up than to answer a request.
const jsonSchemaValidator = new AjvJsonSchemaValidator();

/** An MCP server for one request: the app keeps no sessions, so any pod can answer any request. */
export function createMcpServer(version: string, users: Users, log: Log): McpServer {
  const server = new McpServer({ name: SERVER_NAME, version }, { jsonSchemaValidator });
  const { name, title, description, input, output } = getUserInfo;

  server.registerTool(
    name,
    {
      title,
      description,
      inputSchema: input,
      outputSchema: output,
      annotations: { readOnlyHint: true, openWorldHint: false },
      _meta: { "openai/outputTemplate": WIDGET_URI },
    },
    async ({ userId: id }) => {
      try {
        if (FAULT === "smoke") throw new Error("fault build: the tool does not work");
        const found = (await users.find(id)) ?? null;
        const answer = { found: found !== null, user: found };
        return { structuredContent: answer, content: [{ type: "text", text: JSON.stringify(answer) }] };
      } catch (error) {
        log("error", "a tool failed", { tool: name, error: describeError(error) });
        return {
          isError: true,
          content: [{ type: "text", text: "The user could not be looked up; it was logged." }],
        };
      }
    },
  );

  server.registerResource(
    "user-widget",
    WIDGET_URI,
    { title: "User card", mimeType: WIDGET_TYPE },
    (uri) => ({
      contents: [{ uri: uri.href, mimeType: WIDGET_TYPE, text: widget }],
    }),
  );

  return server;
}
