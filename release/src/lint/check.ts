import type { A_Expr, FuncCall, Node } from "libpg-query";
import { strings } from "../sql/tree.js";

/**
 * What an expression is worth, as far as it is certain: `something` is not NULL and no more is known,
 * undefined is not known at all.
 */
export type Value =
  { is: "null" } | { is: "constant"; of: boolean | number | string } | { is: "something" } | undefined;

const unknown: Value = undefined;
const nothing: Value = { is: "null" };
const truth = (of: boolean): Value => ({ is: "constant", of });

/** PostgreSQL's own operators that give NULL for any NULL. */
const strictOperators = new Set([
  "=",
  "<>",
  "<",
  ">",
  "<=",
  ">=",
  "+",
  "-",
  "*",
  "/",
  "%",
  "^",
  "~",
  "~*",
  "!~",
  "!~*",
  "~~",
  "!~~",
  "~~*",
  "!~~*",
  "@>",
  "<@",
  "&&",
  "->",
  "->>",
  "#>",
  "#>>",
  "?",
]);

/** Whether a CHECK lets a row pass, for certain: NULL does as well as true. */
export function passes(expression: Node | undefined, columns: ReadonlyMap<string, Value>): boolean {
  const value = evaluate(expression, columns);
  return value?.is === "null" || (value?.is === "constant" && value.of === true);
}

export function evaluate(node: Node | undefined, columns: ReadonlyMap<string, Value>): Value {
  const of = (each: Node | undefined) => evaluate(each, columns);
  if (node === undefined) return unknown;
  if ("A_Const" in node) return constant(node.A_Const);
  if ("ColumnRef" in node) return columns.get(strings(node.ColumnRef.fields).at(-1) ?? "");
  if ("SQLValueFunction" in node) return { is: "something" };
  if ("TypeCast" in node) {
    const value = of(node.TypeCast.arg);
    const type = strings(node.TypeCast.typeName?.names).at(-1) ?? "";
    if (value?.is !== "constant") return value;
    if (type === "bool" && typeof value.of === "string")
      return /^t|^true$|^on$|^1$/i.test(value.of)
        ? truth(true)
        : /^f|^false$|^off$|^0$/i.test(value.of)
          ? truth(false)
          : unknown;
    if (/^(int[248]|numeric)$/.test(type))
      return Number.isInteger(Number(value.of))
        ? { is: "constant", of: Number(value.of) }
        : { is: "something" };
    return type === "text" || type === "varchar" ? value : { is: "something" };
  }
  if ("NullTest" in node) {
    const value = of(node.NullTest.arg);
    return value === undefined
      ? unknown
      : truth((value.is === "null") === (node.NullTest.nulltesttype === "IS_NULL"));
  }
  if ("BooleanTest" in node)
    return booleanTest(node.BooleanTest.booltesttype ?? "", of(node.BooleanTest.arg));
  if ("BoolExpr" in node) {
    const values = (node.BoolExpr.args ?? []).map(of);
    if (node.BoolExpr.boolop === "NOT_EXPR") {
      const [value] = values;
      return value?.is === "constant" ? truth(value.of !== true) : value?.is === "null" ? nothing : unknown;
    }
    const deciding = node.BoolExpr.boolop === "OR_EXPR";
    if (values.some((value) => value?.is === "constant" && value.of === deciding)) return truth(deciding);
    if (values.some((value) => value === undefined || value.is === "something")) return unknown;
    return values.some((value) => value?.is === "null") ? nothing : truth(!deciding);
  }
  if ("CoalesceExpr" in node) {
    for (const value of (node.CoalesceExpr.args ?? []).map(of))
      if (value === undefined || value.is !== "null") return value;
    return nothing;
  }
  if ("CaseExpr" in node) {
    if (node.CaseExpr.arg !== undefined) return unknown;
    for (const each of node.CaseExpr.args ?? []) {
      if (!("CaseWhen" in each)) return unknown;
      const condition = of(each.CaseWhen.expr);
      if (condition?.is === "constant" && condition.of === true) return of(each.CaseWhen.result);
      if (condition?.is !== "null" && condition?.is !== "constant") return unknown;
    }
    return node.CaseExpr.defresult === undefined ? nothing : of(node.CaseExpr.defresult);
  }
  if ("FuncCall" in node) {
    const name = strings(node.FuncCall.funcname);
    const own = name.length === 1 || name[0] === "pg_catalog";
    const values = (node.FuncCall.args ?? []).map(of);
    const isKnown = values.every((value) => value !== undefined);
    if (own && (name.at(-1) === "num_nulls" || name.at(-1) === "num_nonnulls") && isKnown) {
      return {
        is: "constant",
        of: values.filter((value) => (value.is === "null") === (name.at(-1) === "num_nulls")).length,
      };
    }
    if (own && name.at(-1) === "now" && values.length === 0) return { is: "something" };
    return own && strictFunctions.has(name.at(-1) ?? "") && values.some((value) => value?.is === "null")
      ? nothing
      : unknown;
  }
  return "A_Expr" in node ? operation(node.A_Expr, of) : unknown;
}

function operation({ kind, name, lexpr, rexpr }: A_Expr, of: (node: Node | undefined) => Value): Value {
  const operator = strings(name).at(-1) ?? "";
  const left = of(lexpr);
  if (kind === "AEXPR_IN") {
    const items = rexpr !== undefined && "List" in rexpr ? (rexpr.List.items ?? []).map(of) : [undefined];
    const found = oneOf(left, items);
    return operator === "<>" && found?.is === "constant" ? truth(found.of !== true) : found;
  }
  if (kind === "AEXPR_OP_ANY" && operator === "=") {
    const array = rexpr !== undefined && "TypeCast" in rexpr ? rexpr.TypeCast.arg : rexpr;
    return oneOf(
      left,
      array !== undefined && "A_ArrayExpr" in array
        ? (array.A_ArrayExpr.elements ?? []).map(of)
        : [undefined],
    );
  }
  if (kind?.startsWith("AEXPR_BETWEEN") === true || kind?.startsWith("AEXPR_NOT_BETWEEN") === true) {
    const [low, high] = rexpr !== undefined && "List" in rexpr ? (rexpr.List.items ?? []).map(of) : [];
    if (left?.is === "null") return nothing;
    if (
      kind !== "AEXPR_BETWEEN" ||
      left?.is !== "constant" ||
      low?.is !== "constant" ||
      high?.is !== "constant"
    )
      return unknown;
    return typeof left.of === "number" && typeof low.of === "number" && typeof high.of === "number"
      ? truth(left.of >= low.of && left.of <= high.of)
      : unknown;
  }
  const right = of(rexpr);
  if (kind === "AEXPR_DISTINCT" || kind === "AEXPR_NOT_DISTINCT") {
    if (left === undefined || right === undefined) return unknown;
    const isSame =
      left.is === "null" && right.is === "null"
        ? truth(true)
        : left.is === "null" || right.is === "null"
          ? truth(false)
          : compare("=", left, right);
    return isSame?.is === "constant" && kind === "AEXPR_DISTINCT" ? truth(isSame.of !== true) : isSame;
  }
  if (kind !== "AEXPR_OP" && kind !== "AEXPR_LIKE" && kind !== "AEXPR_ILIKE" && kind !== "AEXPR_SIMILAR")
    return unknown;
  if ((name ?? []).length !== 1 || !strictOperators.has(operator)) return unknown;
  return left?.is === "null" || right?.is === "null" ? nothing : compare(operator, left, right);
}

function oneOf(value: Value, items: Value[]): Value {
  if (value?.is === "null") return nothing;
  const results = items.map((item) => (item?.is === "null" ? nothing : compare("=", value, item)));
  if (results.some((each) => each?.is === "constant" && each.of === true)) return truth(true);
  if (results.some((each) => each === undefined)) return unknown;
  return results.some((each) => each?.is === "null") ? nothing : truth(false);
}

/** Texts are the same or not: their order, and what else counts as the same, is a matter of collations. */
function compare(operator: string, left: Value, right: Value): Value {
  if (left?.is !== "constant" || right?.is !== "constant") return unknown;
  if (typeof left.of === "number" && typeof right.of === "number") {
    const order: Record<string, boolean> = {
      "=": left.of === right.of,
      "<>": left.of !== right.of,
      "<": left.of < right.of,
      ">": left.of > right.of,
      "<=": left.of <= right.of,
      ">=": left.of >= right.of,
    };
    const result = order[operator];
    return result === undefined ? unknown : truth(result);
  }
  if (operator !== "=" && operator !== "<>") return unknown;
  if (typeof left.of === "boolean" && typeof right.of === "boolean")
    return truth((left.of === right.of) === (operator === "="));
  if (typeof left.of !== "string" || typeof right.of !== "string") return unknown;
  if (left.of === right.of) return truth(operator === "=");
  return alike(left.of) === alike(right.of) ? unknown : truth(operator === "<>");
}

/** For char(n) and citext, and for whatever reads numbers and times. */
function alike(text: string): string {
  return /^[\p{L} _-]*$/u.test(text) ? text.trimEnd().toLowerCase() : "";
}

function booleanTest(test: string, value: Value): Value {
  if (value === undefined || value.is === "something") return unknown;
  const wanted = test.endsWith("TRUE") ? true : test.endsWith("FALSE") ? false : undefined;
  const holds = wanted === undefined ? value.is === "null" : value.is === "constant" && value.of === wanted;
  return truth(holds !== test.startsWith("IS_NOT"));
}

function constant({
  isnull,
  ival,
  fval,
  boolval,
  sval,
}: {
  isnull?: boolean;
  ival?: { ival?: number };
  fval?: { fval?: string };
  boolval?: { boolval?: boolean };
  sval?: { sval?: string };
}): Value {
  if (isnull === true) return nothing;
  if (ival !== undefined) return { is: "constant", of: ival.ival ?? 0 };
  if (fval !== undefined) return { is: "constant", of: Number(fval.fval) };
  if (boolval !== undefined) return truth(boolval.boolval === true);
  return sval === undefined ? { is: "something" } : { is: "constant", of: sval.sval ?? "" };
}

/**
 * PostgreSQL's own functions that give one value for a whole statement: IMMUTABLE or STABLE in every
 * overload, by pg_proc. Those of operators, types and catalogs are left out, which no default and no CHECK
 * calls by name. A function that is on neither list may differ from row to row.
 */

/** NULL for any NULL argument. */
const strict =
  "abbrev abs acos acosd acosh age area array_dims array_length array_lower array_ndims array_to_json array_to_tsvector array_upper ascii asin asind asinh atan atan2 atan2d atand atanh bit bit_count bit_length bool box broadcast cardinality cbrt ceil ceiling center char char_length character_length chr cidr circle convert convert_from convert_to cos cosd cosh cot cotd current_database current_schema current_schemas current_setting current_user date date_bin date_part date_trunc datemultirange decode degrees diagonal diameter div encode exp extract factorial family float4 float8 floor gcd get_bit get_byte get_current_ts_config getpgusername height host hostmask initcap int2 int4 int4multirange int8 int8multirange interval is_normalized isclosed isfinite ishorizontal isopen isparallel isperp isvertical json_array_length json_object json_strip_nulls json_to_record json_to_tsvector json_typeof jsonb_array_length jsonb_insert jsonb_object jsonb_path_query_array jsonb_path_query_first jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_to_record jsonb_to_tsvector jsonb_typeof justify_days justify_hours justify_interval lcm left length like like_escape line ln log log10 lower lower_inc lower_inf lpad lseg ltrim macaddr macaddr8 make_date make_interval make_time make_timestamp make_timestamptz makeaclitem masklen md5 min_scale mod money multirange name netmask normalize notlike now npoints numeric nummultirange numnode octet_length oid overlay parse_ident path pclose phraseto_tsquery pi plainto_tsquery point polygon popen position pow power querytree quote_ident quote_literal radians radius regclass regexp_count regexp_instr regexp_like regexp_match regexp_replace regexp_split_to_array regexp_substr repeat replace reverse right round row_to_json rpad rtrim scale session_user set_bit set_byte set_masklen setweight sha224 sha256 sha384 sha512 sign sin sind sinh slope split_part sqrt starts_with statement_timestamp strip strpos substr substring tan tand tanh text time timestamp timestamptz timetz timezone to_ascii to_char to_date to_hex to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector transaction_timestamp translate trim_array trim_scale trunc tsmultirange tstzmultirange unistr upper upper_inc upper_inf varbit varchar version websearch_to_tsquery width width_bucket xid xml xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xmlcomment xmlexists xpath xpath_exists";

const lenient =
  "array_append array_cat array_fill array_position array_positions array_prepend array_remove array_replace array_to_string concat concat_ws daterange enum_first enum_last enum_range format int4range int8range json_build_array json_build_object json_populate_record jsonb_build_array jsonb_build_object jsonb_populate_record jsonb_set_lax num_nonnulls num_nulls numrange overlaps quote_nullable string_to_array tsrange tstzrange";

const strictFunctions: ReadonlySet<string> = new Set(strict.split(" "));

const sameForEveryRow: ReadonlySet<string> = new Set([...strictFunctions, ...lenient.split(" ")]);

/** Of these, those that take no arguments: with some, it is another function. */
const withoutArguments: ReadonlySet<string> = new Set(
  "current_database current_schema current_user get_current_ts_config getpgusername now pi session_user statement_timestamp transaction_timestamp version".split(
    " ",
  ),
);

/** Whether PostgreSQL's own function is called, and gives one value for a whole statement. */
export function isSteadyFunction({ funcname, args = [] }: FuncCall): boolean {
  const parts = strings(funcname);
  const name = parts.at(-1) ?? "";
  return (
    (parts.length === 1 || parts[0] === "pg_catalog") &&
    sameForEveryRow.has(name) &&
    (args.length === 0 || !withoutArguments.has(name))
  );
}

/** PostgreSQL's own operators. None of them gives another value for each row, by pg_operator. */
export const steadyOperators: ReadonlySet<string> = new Set(
  "!! !~ !~* !~~ !~~* # ## #- #> #>> % & && &< &<| &> * *< *<= *<> *= *> *>= + - -> ->> -|- / < <-> << <<= <<| <= <> <@ <^ = > >= >> >>= >^ ? ?# ?& ?- ?-| ?| ?|| @ @-@ @> @? @@ @@@ ^ ^@ | |&> |/ |>> || ||/ ~ ~* ~<=~ ~<~ ~= ~>=~ ~>~ ~~ ~~*".split(
    " ",
  ),
);
