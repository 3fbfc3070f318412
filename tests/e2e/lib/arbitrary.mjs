// Values made from a JSON schema by fast-check: `valid` ones, and `broken` ones that are wrong in exactly one place.
import fc from 'fast-check';
import { resolve } from './openapi.mjs';

const char = fc.oneof({ weight: 8, arbitrary: fc.char() }, { weight: 1, arbitrary: fc.fullUnicode() });

function string(schema) {
  if (schema.format === 'date-time') return fc.constantFrom('2024-11-15T14:32:00.000Z', '2026-02-28T23:59:59.999Z');
  if (schema.pattern) return fc.stringMatching(new RegExp(schema.pattern));
  return fc.stringOf(char, { minLength: schema.minLength ?? 0, maxLength: Math.min(schema.maxLength ?? 40, 40) });
}

function object(schema) {
  const properties = schema.properties ?? {};
  const required = schema.required ?? [];
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  if (schema.additionalProperties?.type)
    return fc.dictionary(fc.constantFrom('X-A', 'X-Customer', 'x-b'), valid(schema.additionalProperties), { maxKeys: 2 });
  return fc.subarray(optional, { maxLength: Math.min(3, optional.length) }).chain((chosen) =>
    fc.record(Object.fromEntries([...required, ...chosen].map((name) => [name, valid(properties[name])]))));
}

/** Values that satisfy the schema (whatever its description asks for besides). */
export function valid(given) {
  const schema = resolve(given);
  if (schema.examples?.length && !schema.properties)
    return fc.oneof(fc.constantFrom(...schema.examples), valid({ ...schema, examples: undefined }));
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.oneOf) return fc.oneof(...schema.oneOf.map(valid));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => valid({ ...schema, type })));
  switch (schema.type) {
    case 'string': return string(schema);
    case 'integer': return fc.integer({ min: schema.minimum ?? -1000, max: schema.maximum ?? 2 ** 31 - 1 });
    case 'boolean': return fc.boolean();
    case 'null': return fc.constant(null);
    case 'array': return fc.array(valid(schema.items), { minLength: schema.minItems ?? 0, maxLength: (schema.minItems ?? 0) + 2 });
    case 'object': return object(schema);
    case undefined: return fc.constantFrom(1, 'x', null);
    default: throw new Error(`no values for ${JSON.stringify(schema)}`);
  }
}

const types = (schema) => [schema.type].flat();

/** Values that the schema forbids, for what stands in one place. */
function wrong(schema) {
  const list = [];
  const allowed = schema.oneOf ? schema.oneOf.map(resolve).flatMap((s) => ('const' in s ? ['string'] : types(s))) : types(schema);
  if ('const' in schema) allowed[0] = 'string';
  const samples = { string: 'x', integer: 7, boolean: true, array: [[]], object: { a: 1 }, null: null };
  if (!('type' in schema) && !schema.oneOf && !('const' in schema)) return [];
  for (const [type, value] of Object.entries(samples))
    if (!allowed.includes(type) && type !== 'null') list.push(value);
  if (allowed.includes('integer')) {
    list.push(0.5);
    if ('minimum' in schema) list.push(schema.minimum - 1);
    if ('maximum' in schema) list.push(schema.maximum + 1);
  }
  if (allowed.includes('string')) {
    if (schema.enum || 'const' in schema) list.push('no such word');
    if ('maxLength' in schema) list.push('x'.repeat(schema.maxLength + 1));
    if (schema.minLength) list.push('');
    if (schema.pattern) list.push('?!');
  }
  if (allowed.includes('array') && 'maxItems' in schema)
    list.push(new Array(schema.maxItems + 1).fill(null).map((_, i) => fc.sample(valid(schema.items), { numRuns: 1, seed: i })[0]));
  if (allowed.includes('array') && schema.minItems) list.push([]);
  return list;
}

/** [{ place, body }]: `base`, which is good, with one thing wrong at `place`. */
export function broken(given, base) {
  const list = [];
  const walk = (schemaGiven, value, place, put) => {
    const schema = resolve(schemaGiven);
    for (const bad of wrong(schema)) list.push({ place, body: put(bad) });
    if (schema.type?.includes?.('object') && schema.properties) {
      const at = value ?? {};
      const within = (name) => (place ? `${place}.${name}` : name);
      for (const [name, inner] of Object.entries(schema.properties))
        walk(inner, at[name], within(name), (v) => put({ ...at, [name]: v }));
      for (const name of schema.required ?? []) {
        const { [name]: gone, ...rest } = at;
        list.push({ place: within(name), body: put(rest) });
      }
      if (schema.additionalProperties === false) list.push({ place: within('no_such_member'), body: put({ ...at, no_such_member: 1 }) });
    }
    if (schema.type === 'array' && Array.isArray(value))
      value.forEach((item, i) => walk(schema.items, item, `${place}[${i}]`, (v) => put(value.map((old, k) => (k === i ? v : old)))));
  };
  walk(given, base, '', (v) => v);
  return list.filter(({ place }) => place);
}
