const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether alerts may go there: https, or http on this machine, and nothing in front of the host. */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  return (
    (protocol === "https:" || (protocol === "http:" && loopback.test(hostname))) &&
    username === "" &&
    password === ""
  );
}

export const secureUrlRule = "https://HOST/PATH, without a user or password (http only to this machine)";
