import type { ObjectType } from "libpg-query";
import { shellWord } from "../../shellWord.js";
import { nameOf, objectParts, quoted, quotedRelation, relationName } from "../names.js";
import { allPhases, type Rule, type Statement, type Subject } from "../rule.js";

/** The live version knows one name, and the next one another: at no moment do both have theirs. */
const renames = (name: string, what: string, types: ObjectType[], recipe: (subject: Subject) => string): Rule => ({
  name,
  reason: `the live version goes on asking for the ${what}'s old name`,
  phases: allPhases,
  recipe,
  find: ({ node, start, known }: Statement) => {
    if (!("RenameStmt" in node)) return [];
    const { renameType = "OBJECT_TABLE", relation, object, subname, newname } = node.RenameStmt;
    if (!types.includes(renameType)) return [];
    const parts = relation === undefined ? (object === undefined ? [subname ?? ""] : objectParts(object)) : [relation.schemaname ?? "", relation.relname ?? ""];
    const kind = name === "rename-schema" ? "schema" : name === "rename-function" ? "function" : name === "rename-type" ? "type" : "relation";
    if (known.isFresh(kind, relation === undefined ? nameOf(parts) : relationName(relation))) return [];
    return [{ at: start, subject: { table: quotedRelation(relation), column: quoted(subname), name: quoted(...parts), newName: quoted(newname) } }];
  },
});

const twoNames = (create: string) => (subject: Subject) => `${create.replace("NEW", subject.newName).replace("OLD", subject.name)}
-- and in contract, when nobody asks for it any more, drop ${subject.name}`;

export const renameRules: Rule[] = [
  renames("rename-column", "column", ["OBJECT_COLUMN"], ({ table, column, newName }) => `-- npm run bluegreen -- migrations rename ${shellWord(`${table}.${column}`)} ${shellWord(newName)} writes all of this
-- expand: a second column, both kept equal by a trigger in both directions
ALTER TABLE ${table} ADD COLUMN ${newName} …;
CREATE TRIGGER … BEFORE INSERT OR UPDATE ON ${table} …;
-- backfill: copy ${column} to ${newName} in batches
-- contract: ALTER TABLE ${table} DROP COLUMN ${column};`),
  renames("rename-table", "table", ["OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"], twoNames(`-- expand: the new name as a view, which takes writes as well
CREATE VIEW NEW AS SELECT * FROM OLD;`)),
  renames("rename-schema", "schema", ["OBJECT_SCHEMA"], twoNames(`-- expand: the new schema, with views of the old one's tables
CREATE SCHEMA NEW;
CREATE VIEW NEW.… AS SELECT * FROM OLD.…;`)),
  renames("rename-view", "view", ["OBJECT_VIEW", "OBJECT_MATVIEW"], twoNames("CREATE VIEW NEW AS SELECT * FROM OLD;")),
  renames("rename-function", "function", ["OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"], twoNames("CREATE FUNCTION NEW(…) …; -- beside OLD, with the same body")),
  renames("rename-type", "type", ["OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_ATTRIBUTE"], twoNames("CREATE TYPE NEW AS …; -- and a new column of it beside each one of OLD")),
  renames("rename-sequence", "sequence", ["OBJECT_SEQUENCE"], twoNames("-- keep OLD: its name stands in defaults only, and NEW would say no more")),
];
