// A server in one file, as an image of the app holds it: says who answers, and what arrived.
const { createServer } = require("node:http");

const server = createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ color: process.env.COLOR, url: request.url, headers: request.headers }));
}).listen(3000);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
