// The OpenAPI file as tests use it: its operations with all references resolved, and its schemas as validators.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export const path = fileURLToPath(new URL('../../../src/api/openapi.json', import.meta.url));
export const file = JSON.parse(readFileSync(path));

/** What `$ref` stands for; anything else stands for itself. */
export function resolve(value) {
  if (!value?.$ref) return value;
  return resolve(value.$ref.slice(2).split('/')
    .reduce((at, word) => at[word.replaceAll('~1', '/').replaceAll('~0', '~')], file));
}

/** [{ id, method, path, scope, reserved, open, parameters, body: { required, content }, responses }], in the file's order. */
const all = Object.entries(file.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, o]) => ({
    id: o.operationId,
    method: method.toUpperCase(),
    path,
    name: `${method.toUpperCase()} ${path}`,
    scope: o['x-scope'] ?? '',
    tokenScope: o['x-token-scope'], // of the DID API
    reserved: o['x-writable-by'] === 'numbers', // for whom numbers are his own to make
    open: Array.isArray(o.security) && o.security.length === 0,
    parameters: (o.parameters ?? []).map(resolve),
    body: resolve(o.requestBody),
    responses: Object.fromEntries(Object.entries(o.responses).map(([status, r]) => [status, resolve(r)])),
  })));
// The setup is there only while nobody is an operator: setup.test.mjs.
export const operations = all.filter((o) => !o.path.startsWith('/api/') && o.path !== '/setup');
/** The DID API's (did_tenants.test.mjs): their token is in the body, and 200 may mean that it was in vain. */
export const didOperations = all.filter((o) => o.path.startsWith('/api/'));

export const operation = (id) => operations.find((o) => o.id === id);

// ---- validators ----

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
addFormats(ajv);
for (const keyword of ['x-writable-by', 'x-readable-by']) ajv.addKeyword(keyword); // permissions.test.mjs
const named = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', 'file:///schemas/'));
for (const [name, schema] of Object.entries(file.components.schemas)) ajv.addSchema(named(schema), `file:///schemas/${name}`);
const compiled = new Map();

/** What is wrong with `value` by `schema`; '' when nothing is. */
export function faults(schema, value) {
  const key = JSON.stringify(schema);
  if (!compiled.has(key)) compiled.set(key, ajv.compile(named(schema)));
  const check = compiled.get(key);
  return check(value) ? '' : ajv.errorsText(check.errors, { separator: '; ' });
}

/** Fails unless the answer { status, headers, text } is one that the file describes for the operation. */
export function described(o, answer, what = o.name) {
  const response = o.responses[answer.status];
  assert.ok(response, `${what}: ${answer.status} is not described: ${answer.text.slice(0, 300)}`);
  for (const header of Object.keys(response.headers ?? {}))
    assert.ok(answer.headers.get(header), `${what}: ${answer.status} has no ${header}`);
  if (!response.content) {
    assert.equal(answer.text, '', `${what}: ${answer.status} has a body`);
    return;
  }
  const type = answer.headers.get('content-type')?.split(';')[0];
  assert.ok(response.content[type], `${what}: ${answer.status} came as ${type}`);
  if (!/json$/.test(type)) return;
  const wrong = faults(response.content[type].schema, JSON.parse(answer.text));
  assert.equal(wrong, '', `${what}: ${answer.status} ${answer.text.slice(0, 500)}`);
}

/** The examples that stand beside a media type or in its schema: values. */
export function examples(content) {
  const schema = resolve(content.schema) ?? {};
  return [
    ...(content.example === undefined ? [] : [content.example]),
    ...Object.values(content.examples ?? {}).map((e) => resolve(e).value),
    ...(schema.examples ?? []),
  ];
}
