/** Asks the dashboard's server to do something. @returns why it does not; undefined: it does */
export async function ask(
  path: "switch" | "rollback" | "plan",
  body: { to: string; why: string } | Record<string, never>,
): Promise<string | undefined> {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.ok ? undefined : await answer.text();
  } catch {
    return "The dashboard cannot be reached: whether it still runs, the terminal says that it was started in.";
  }
}
