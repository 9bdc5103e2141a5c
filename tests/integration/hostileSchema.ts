import { query } from "../../local/testing/database";

/** PostgreSQL's own functions that the release asks for, each of which the app's role can make once more. */
const functions = [
  "array_position",
  "clock_timestamp",
  "concat_ws",
  "count",
  "current_database",
  "current_setting",
  "format_type",
  "has_database_privilege",
  "has_schema_privilege",
  "host",
  "left",
  "length",
  "now",
  "pg_backend_pid",
  "pg_blocking_pids",
  "pg_cancel_backend",
  "pg_create_logical_replication_slot",
  "pg_current_wal_lsn",
  "pg_current_wal_flush_lsn",
  "pg_current_xact_id",
  "pg_drop_replication_slot",
  "pg_get_constraintdef",
  "pg_get_indexdef",
  "pg_get_userbyid",
  "pg_has_role",
  "pg_is_in_recovery",
  "pg_is_wal_replay_paused",
  "pg_last_wal_replay_lsn",
  "pg_logical_emit_message",
  "pg_postmaster_start_time",
  "pg_promote",
  "pg_reload_conf",
  "pg_replication_slot_advance",
  "pg_sequence_last_value",
  "pg_size_pretty",
  "pg_terminate_backend",
  "pg_try_advisory_lock",
  "pg_wal_lsn_diff",
  "pg_walfile_name",
  "regexp_replace",
  "round",
  "set_config",
  "setval",
  "shobj_description",
  "split_part",
  "to_regclass",
  "trunc",
];

/** Its tables and views that the release reads. */
const relations = [
  "pg_attribute",
  "pg_auth_members",
  "pg_class",
  "pg_constraint",
  "pg_database",
  "pg_db_role_setting",
  "pg_depend",
  "pg_enum",
  "pg_index",
  "pg_largeobject_metadata",
  "pg_locks",
  "pg_namespace",
  "pg_publication",
  "pg_publication_tables",
  "pg_replication_origin_status",
  "pg_replication_slots",
  "pg_roles",
  "pg_sequence",
  "pg_settings",
  "pg_stat_activity",
  "pg_stat_progress_copy",
  "pg_stat_replication",
  "pg_stat_subscription",
  "pg_stat_subscription_stats",
  "pg_stat_wal_receiver",
  "pg_subscription_rel",
];

const operators = ["=", "<>", "<", ">", "<=", ">=", "~", "!~", "~~", "-", "||"];

const names = (all: string[]) => all.map((name) => `'${name}'`).join(", ");

/**
 * What a role can do in a schema where it may create: whatever is called without its schema, or fits better
 * than what PostgreSQL has, is a trap. Whoever runs into one as a superuser makes `role` one, and says so in
 * the server's log where nothing can be written.
 * @param options.url as the role that the traps are for
 * @param options.first the database's search path has the schema before PostgreSQL's own
 */
export async function setTraps({
  url,
  role,
  first,
}: {
  url: string;
  role: string;
  first: boolean;
}): Promise<void> {
  const options = `?options=${encodeURIComponent("-c search_path=pg_catalog -c default_transaction_read_only=off")}`;
  await query(
    url + options,
    `CREATE FUNCTION public.seize() RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS $seize$
       BEGIN
         IF (SELECT bool_or(rolsuper) FROM pg_roles WHERE rolname IN (session_user, current_user)) THEN
           RAISE LOG 'seized: % by %', session_user, current_query();
           EXECUTE 'ALTER ROLE ${role} SUPERUSER';
         END IF;
         RETURN true;
       EXCEPTION WHEN OTHERS THEN RETURN true;
       END $seize$;
     -- Arguments that fit better than VARIADIC "any" and anyelement.
     CREATE FUNCTION public.format(text, name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN pg_catalog.format($1, $2); END $$;
     CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN pg_catalog.format($1, $2); END $$;
     CREATE FUNCTION public.format(text, name, name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN pg_catalog.format($1, $2, $3); END $$;
     CREATE FUNCTION public.format(text, oid, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN pg_catalog.format($1, $2, $3); END $$;
     CREATE FUNCTION public.format(text, text, name, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN pg_catalog.format($1, $2, $3, $4); END $$;
     CREATE FUNCTION public.concat_ws(text, oid, numeric) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN pg_catalog.concat_ws($1, $2, $3); END $$;
     CREATE FUNCTION public.to_jsonb(pg_replication_slots) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN '{}'; END $$;
     CREATE FUNCTION public.joined(text, name, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN pg_catalog.concat($1, $3, $2); END $$;
     CREATE AGGREGATE public.string_agg(name, text) (SFUNC = public.joined, STYPE = text);
     -- The same arguments: these are met where the schema comes first.
     DO $$ DECLARE f record; BEGIN
       FOR f IN SELECT p.*, pg_get_function_identity_arguments(p.oid) AS args, array_to_string(array(SELECT '$' || n FROM generate_series(1, pronargs) n), ', ') AS given, format_type(prorettype, NULL) AS returned
                  FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND provariadic = 0 AND proname IN (${names(functions)}) LOOP
         BEGIN
           EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.proname, f.args, f.returned, format('BEGIN PERFORM public.seize(); RETURN pg_catalog.%I(%s); END', f.proname, f.given));
         EXCEPTION WHEN OTHERS THEN NULL;
         END;
       END LOOP;
       FOR f IN SELECT o.oprname, o.oprcode::regproc::text AS code, format_type(oprleft, NULL) AS l, format_type(oprright, NULL) AS r, format_type(oprresult, NULL) AS returned, o.oid
                  FROM pg_operator o WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft <> 0 AND oprname IN (${names(operators)})
                   AND oprleft IN ('name'::regtype, 'text'::regtype, 'oid'::regtype, '"char"'::regtype, 'int4'::regtype, 'int8'::regtype, 'pg_lsn'::regtype, 'timestamptz'::regtype) LOOP
         BEGIN
           EXECUTE format('CREATE FUNCTION public.trap_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', f.oid, f.l, f.r, f.returned, format('BEGIN PERFORM public.seize(); RETURN $1 OPERATOR(pg_catalog.%s) $2; END', f.oprname));
           EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public.trap_%s, LEFTARG = %s, RIGHTARG = %s)', f.oprname, f.oid, f.l, f.r);
         EXCEPTION WHEN OTHERS THEN NULL;
         END;
       END LOOP;
       FOR f IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relname IN (${names(relations)}) LOOP
         BEGIN
           EXECUTE format('CREATE VIEW public.%I AS SELECT * FROM pg_catalog.%I WHERE public.seize()', f.relname, f.relname);
         EXCEPTION WHEN OTHERS THEN NULL;
         END;
       END LOOP;
     END $$;`,
  );
  if (first)
    await query(
      url + options,
      `DO $$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I SET search_path = public, pg_catalog', pg_catalog.current_database()); END $$`,
    );
}

/** Asks where no trap can be met. */
export function safely(url: string, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return query(
    `${url}?options=${encodeURIComponent("-c search_path=pg_catalog -c default_transaction_read_only=off")}`,
    sql,
    values,
  );
}
