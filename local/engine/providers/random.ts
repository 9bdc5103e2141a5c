/** `random:*` resources: values made once and kept until an input changes. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { hash } from "bcryptjs";
import { EngineError } from "../errors";
import { containsUnknown, equal, mapProps, type Props, Secret, UNKNOWN, type Value } from "../value";
import { dereference } from "../wire";
import type { Checked, CheckRequest, Created, CreateRequest, DiffRequest, Live, Provider, ProviderDiff, ReadRequest, UpdateRequest } from "./provider";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const NUMERIC = "0123456789";
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";
const BCRYPT_ROUNDS = 10;
/** bcrypt reads no more of a password; the real provider cuts there too. */
const BCRYPT_MAX_BYTES = 72;

const STRING_DEFAULTS: Props = {
  lower: true, minLower: 0, minNumeric: 0, minSpecial: 0, minUpper: 0, numeric: true, special: true, upper: true,
};

const pick = (from: string): string => from.charAt(randomInt(from.length));

function shuffle(items: string[]): string {
  for (let last = items.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [items[last], items[other]] = [items[other] ?? "", items[last] ?? ""];
  }
  return items.join("");
}

const numberIn = (props: Props, key: string): number => (typeof props[key] === "number" ? props[key] : 0);
const flagIn = (props: Props, key: string): boolean => props[key] !== false;
const textIn = (props: Props, key: string): string => (typeof props[key] === "string" ? props[key] : "");

/** A random string of the asked classes, with at least the asked number of each. */
export function randomString(options: Props): string {
  const classes = [
    { characters: LOWER, on: flagIn(options, "lower"), least: numberIn(options, "minLower") },
    { characters: UPPER, on: flagIn(options, "upper"), least: numberIn(options, "minUpper") },
    { characters: NUMERIC, on: flagIn(options, "numeric") && flagIn(options, "number"), least: numberIn(options, "minNumeric") },
    { characters: textIn(options, "overrideSpecial") || SPECIAL, on: flagIn(options, "special"), least: numberIn(options, "minSpecial") },
  ];
  const any = classes.filter((one) => one.on).map((one) => one.characters).join("");
  const characters = classes.flatMap((one) => Array.from({ length: one.least }, () => pick(one.characters)));
  while (characters.length < numberIn(options, "length")) characters.push(pick(any));
  return shuffle(characters);
}

function failuresOf(type: string, inputs: Props): Checked["failures"] {
  if (containsUnknown(inputs) || !/:Random(Password|String)$/.test(type)) return [];
  const length = numberIn(inputs, "length");
  const least = ["minLower", "minUpper", "minNumeric", "minSpecial"].reduce((sum, key) => sum + numberIn(inputs, key), 0);
  const failures: Checked["failures"] = [];
  if (!Number.isInteger(length) || length < 1) failures.push({ property: "length", reason: `expected a whole number of at least 1, got ${JSON.stringify(inputs["length"])}` });
  if (least > length) failures.push({ property: "length", reason: `is ${length}, less than the ${least} characters that minLower, minUpper, minNumeric and minSpecial ask for` });
  const on = ["lower", "upper", "numeric", "special"].some((key) => flagIn(inputs, key));
  if (!on) failures.push({ property: "lower", reason: "at least one of lower, upper, numeric and special must be true" });
  return failures;
}

type Maker = (inputs: Props) => Promise<Created> | Created;

function idOutputs(inputs: Props): Created {
  const bytes = randomBytes(numberIn(inputs, "byteLength"));
  const prefix = textIn(inputs, "prefix");
  const id = bytes.toString("base64url");
  const outputs = {
    ...inputs,
    b64Url: prefix + id,
    b64Std: prefix + bytes.toString("base64"),
    hex: prefix + bytes.toString("hex"),
    dec: prefix + BigInt(`0x${bytes.toString("hex") || "0"}`).toString(),
  };
  return { id, outputs };
}

async function passwordOutputs(inputs: Props): Promise<Created> {
  const result = randomString(inputs);
  const cut = Buffer.from(result).subarray(0, BCRYPT_MAX_BYTES).toString();
  const bcryptHash = await hash(cut, BCRYPT_ROUNDS);
  return { id: "none", outputs: { ...inputs, result: new Secret(result), bcryptHash: new Secret(bcryptHash) } };
}

function stringOutputs(inputs: Props): Created {
  const result = randomString(inputs);
  return { id: result, outputs: { ...inputs, result } };
}

function uuidOutputs(inputs: Props): Created {
  const result = randomUUID();
  return { id: result, outputs: { ...inputs, result } };
}

const MAKERS: Record<string, { make: Maker; computed: string[] }> = {
  "random:index/randomId:RandomId": { make: idOutputs, computed: ["b64Std", "b64Url", "dec", "hex"] },
  "random:index/randomPassword:RandomPassword": { make: passwordOutputs, computed: ["bcryptHash", "result"] },
  "random:index/randomString:RandomString": { make: stringOutputs, computed: ["result"] },
  "random:index/randomUuid:RandomUuid": { make: uuidOutputs, computed: ["result"] },
};

function makerOf(type: string): { make: Maker; computed: string[] } {
  const maker = MAKERS[type];
  if (!maker) throw new EngineError(`resource type ${type} is not covered by the stand-in engine (of the random package: ${Object.keys(MAKERS).join(", ")}); install the Pulumi CLI`);
  return maker;
}

/** What the values are made from: the inputs with the defaults, without the engine's own keys. */
function completed(type: string, inputs: Props): Props {
  const given = Object.fromEntries(Object.entries(inputs).filter(([key, value]) => value !== null && !key.startsWith("__")));
  if (!/:Random(Password|String)$/.test(type)) return given;
  const complete: Props = { ...STRING_DEFAULTS, ...given };
  // The real provider keeps the deprecated `number` in step with `numeric`.
  complete["number"] = complete["numeric"] = given["numeric"] ?? given["number"] ?? true;
  return complete;
}

export class RandomProvider implements Provider {
  check(request: CheckRequest): Promise<Checked> {
    makerOf(request.type);
    const inputs = mapProps(request.inputs, dereference);
    return Promise.resolve({ inputs, failures: failuresOf(request.type, completed(request.type, inputs)) });
  }

  diff(request: DiffRequest): Promise<ProviderDiff> {
    const old = completed(request.type, request.oldInputs);
    const fresh = completed(request.type, request.inputs);
    const keys = new Set([...Object.keys(old), ...Object.keys(fresh)]);
    const replaces = [...keys].filter((key) => !equal(old[key], fresh[key]));
    return Promise.resolve({ changes: replaces.length > 0 ? "some" : "none", replaces, deleteBeforeReplace: false });
  }

  async create(request: CreateRequest): Promise<Created> {
    const { make, computed } = makerOf(request.type);
    const inputs = completed(request.type, request.inputs);
    if (!request.preview) return make(inputs);
    const unknowns: [string, Value][] = computed.map((key) => [key, UNKNOWN]);
    return { id: "", outputs: { ...inputs, ...Object.fromEntries(unknowns) } };
  }

  update(request: UpdateRequest): Promise<Props> {
    return Promise.resolve({ ...request.oldOutputs, ...request.inputs });
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }

  read(request: ReadRequest): Promise<Live | undefined> {
    return Promise.resolve({ id: request.id, outputs: request.outputs });
  }

  invoke(token: string): Promise<Props> {
    return Promise.reject(new EngineError(`unknown function ${token}: the random package has none`));
  }

  /** Nothing outside the state was made. */
  recover(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}
