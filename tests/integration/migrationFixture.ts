import { startDatabases, type TestDatabases } from "../../local/testing/database";
import { makeFolder, type MigrationFolder } from "./migrationFolder";

/** What a test about migrations begins with. */
export interface MigrationFixture {
  databases: TestDatabases;
  /** Empty. */
  migrations: MigrationFolder;
  /** Of an empty database. */
  url: string;
}

/**
 * Declares the server of a suite, and a folder and a database for each of its tests. To be called in
 * `describe`.
 */
export function withMigrationFixture(begin: (fixture: MigrationFixture) => void | Promise<void>): void {
  let databases: TestDatabases;
  let migrations: MigrationFolder;
  before(async () => {
    databases = await startDatabases();
  });
  after(() => databases.stop());
  beforeEach(async () => {
    migrations = await makeFolder();
    await begin({ databases, migrations, url: await databases.fresh() });
  });
  afterEach(() => migrations.remove());
}
