import { run } from "./run";

/** A user and group to run a program as. */
export interface Account {
  uid: number;
  gid: number;
}

/** The account of a user name; without root, programs can only run as who runs us. */
export async function accountOf(user: string): Promise<Account> {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  if (uid === undefined || gid === undefined)
    throw new Error("The local stage runs on Linux only; this system has no user ids.");
  if (uid !== 0) return { uid, gid };
  const [ids, groups] = await Promise.all([run("id", ["-u", user]), run("id", ["-g", user])]);
  return { uid: Number(ids), gid: Number(groups) };
}
