import { createServer, type RequestListener, type ServerOptions } from "node:http";
import type { AddressInfo } from "node:net";

export interface HttpServer {
  /** Base URL, without a path. */
  url: string;
  port: number;
  close(): Promise<void>;
}

/** A real HTTP server on this machine, on a free port, that does what the test says. */
export async function startServer(handle: RequestListener, options: ServerOptions = {}): Promise<HttpServer> {
  const server = createServer(options, handle);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((done) => {
        server.close(() => {
          done();
        });
        server.closeAllConnections();
      }),
  };
}
