/** Whether the third-party API takes our key: the cheapest call there is that needs one. */
export async function checkOpenAi(baseUrl: string, apiKey: string): Promise<void> {
  const response = await fetch(`${baseUrl}/models`, {
    headers: { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(3000),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the API answered ${response.status}`);
}
