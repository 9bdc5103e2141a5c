import { isIP } from "node:net";
import { join } from "node:path";
import { run } from "../../local/system/run";

/** Paths of PEM files. */
export interface CertificateFiles {
  certificate: string;
  key: string;
}

/** A certificate for a host or an address, good for a day, that is its own authority. */
export async function makeCertificate(folder: string, host: string): Promise<CertificateFiles> {
  const files = { certificate: join(folder, "tls.crt"), key: join(folder, "tls.key") };
  await run("openssl", [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "1",
    "-subj",
    `/CN=${host}`,
    "-addext",
    `subjectAltName=${isIP(host) ? "IP" : "DNS"}:${host}`,
    "-keyout",
    files.key,
    "-out",
    files.certificate,
  ]);
  return files;
}
