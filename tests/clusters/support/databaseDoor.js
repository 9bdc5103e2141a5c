/** A way to a PostgreSQL server's socket from inside a stage's network: node FILE ADDRESS PORT SOCKET. */
const { connect, createServer } = require("node:net");

const [address, port, socket] = process.argv.slice(2);
const server = createServer((client) => {
  const upstream = connect(socket);
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ]) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
    one.pipe(other);
  }
});
server.listen(Number(port), address, () => process.stdout.write("open\n"));
