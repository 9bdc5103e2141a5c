import { startDatabases, type TestDatabases } from "./database";
import { makeFolder, type MigrationFolder } from "./migrationFolder";

/** What each test of a suite about migrations begins with: an empty folder of them, and an empty database. */
export interface MigrationHome extends MigrationFolder {
  databases: TestDatabases;
  /** Of this test's database. */
  url: string;
}

/** Declares the server of a suite, and a folder and a database for each of its tests. To be called in `describe`. */
export function migrationHome(): MigrationHome {
  let databases: TestDatabases | undefined;
  let current: { folder: MigrationFolder; url: string } | undefined;
  before(async () => {
    databases = await startDatabases();
  });
  after(() => databases?.stop());
  beforeEach(async () => {
    current = { folder: await makeFolder(), url: await started(databases).fresh() };
  });
  afterEach(() => current?.folder.remove());
  return {
    get databases() {
      return started(databases);
    },
    get url() {
      return started(current).url;
    },
    get folder() {
      return started(current).folder.folder;
    },
    write: (file, sql) => started(current).folder.write(file, sql),
    run: (url, options) => started(current).folder.run(url, options),
    remove: () => started(current).folder.remove(),
  };
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("there is none outside of a test");
  return value;
}
