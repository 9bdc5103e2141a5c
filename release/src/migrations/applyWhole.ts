import { insertRecord } from "./records.js";
import { withRetries } from "./retry.js";
import { splitStatements, type Statement } from "./statements.js";
import { failure, type Work } from "./work.js";

/** Applies a migration and its record in one transaction. */
export async function applyWhole(work: Work): Promise<void> {
  const { session, schema, file, settings, say } = work;
  const statements = await splitStatements(file.path, file.sql);
  let current: Statement | undefined;
  const attempt = () =>
    session.transaction(async () => {
      for (const statement of statements) {
        current = statement;
        await session.query(statement.sql);
      }
      current = undefined;
      await insertRecord(session, schema, file);
    });
  try {
    await withRetries(attempt, settings, say, session.signal);
  } catch (error) {
    throw failure(work, "was rolled back", error, current);
  }
}
