// A server in one file, as an image of the app holds it. GET /connect?host=…&port=… tells whether a pod
// reaches an address.
const { createServer } = require("node:http");
const { connect } = require("node:net");
const { userInfo } = require("node:os");

createServer((request, response) => {
  const url = new URL(request.url, "http://pod");
  if (url.pathname !== "/connect") {
    response.end(
      JSON.stringify({ uid: userInfo().uid, mode: process.env.NODE_ENV, pod: process.env.HOSTNAME }),
    );
    return;
  }
  const connection = connect({
    host: url.searchParams.get("host"),
    port: Number(url.searchParams.get("port")),
    timeout: 3000,
  });
  const end = (text) => {
    connection.destroy();
    response.end(text);
  };
  connection.on("connect", () => end("connected"));
  connection.on("timeout", () => end("no answer"));
  connection.on("error", (error) => end(error.message));
}).listen(3000);
process.on("SIGTERM", () => process.exit(0));
