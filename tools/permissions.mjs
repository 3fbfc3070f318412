#!/usr/bin/env node
// permissions.mjs: prints who may do what, by the OpenAPI file, as the tables that stand in docs/api.md; with --write puts
// them there. tests/e2e/permissions.test.mjs checks that they are there as they should be, and that the daemon does as they say.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (where) => fileURLToPath(new URL(`../${where}`, import.meta.url));
export const page = at('docs/api.md');
export const [begin, end] = ['<!-- permissions: tools/permissions.mjs --write -->\n', '<!-- /permissions -->\n'];

const file = JSON.parse(readFileSync(at('src/api/openapi.json')));
const scopes = ['read', 'write', 'ingest', 'operator'];

/** The schemas that a body or an answer is made of, with their names. */
function schemasOf(schema, name = '') {
  if (schema?.$ref) return schemasOf(file.components.schemas[schema.$ref.split('/').pop()], schema.$ref.split('/').pop());
  const inner = [...(schema?.oneOf ?? []), ...(schema?.allOf ?? []), ...(schema?.items ? [schema.items] : []),
    ...(schema?.properties?.next_cursor ? [schema.properties.data] : [])];
  return [...(schema?.properties ? [[name, schema.properties]] : []), ...inner.flatMap((s) => schemasOf(s, name))];
}

const mark = (o) => (o['x-writable-by'] === 'numbers' ? ' ¹' : o['x-target'] ? ' ²' : '');

function operations() {
  const rows = [];
  for (const [path, item] of Object.entries(file.paths)) {
    const cells = Object.fromEntries(scopes.map((s) => [s, []]));
    for (const [method, o] of Object.entries(item))
      if (o['x-scope'] ?? o['x-token-scope']) cells[o['x-scope'] ?? o['x-token-scope']].push(method.toUpperCase() + mark(o));
    if (Object.values(cells).some((c) => c.length)) rows.push([path, ...scopes.map((s) => cells[s].join(' '))]);
  }
  return rows.sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([path, ...cells]) => [`\`${path}\``, ...cells]);
}

/** Members of which `keyword` says something else than `scope`: [[of what, members, whom]]. */
function members(keyword, contents) {
  const found = new Map(); // "Number|numbers" → members
  for (const item of Object.values(file.paths))
    for (const o of Object.values(item))
      for (const content of contents(o))
        for (const [name, properties] of schemasOf(content.schema))
          for (const [member, p] of Object.entries(properties)) {
            if (!p[keyword] || p[keyword] === 'scope') continue;
            const key = `${name.replace(/(New|Patch)$/, '')}|${p[keyword]}`;
            if (!found.has(key)) found.set(key, new Set());
            found.get(key).add(`\`${member}\``);
          }
  return [...found].map(([key, names]) => [...key.split('|'), [...names].sort().join(' ')]).filter(([name]) => name).sort((a, b) => (a.join() < b.join() ? -1 : 1));
}

const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`.replace(/ {2,}\|/g, ' |')).join('\n');

const meaning = { numbers: 'the operator ¹', operator: 'the operator', within: 'no more than who asks has', once: 'once, in the answer that makes it' };

export function tables() {
  const requests = (o) => Object.values(o.requestBody?.content ?? {});
  const answers = (o) => Object.entries(o.responses).filter(([s]) => s[0] === '2').flatMap(([, r]) => Object.values(r.content ?? {}));
  return [
    table(['role', 'scopes'], Object.entries(file['x-roles']).map(([role, has]) => [`\`${role}\``, has.map((s) => `\`${s}\``).join(' ')])),
    table(['', ...scopes.map((s) => `\`${s}\``)], operations()),
    '¹ The operator, keys of the account `default`, and with `accounts.own_numbers` every account.\n'
      + '² The key may do no more than who asks. The user may do less (where an owner or operator asks: no more), or is who asks.',
    table(['a request sets in', '', 'who may, or what'], members('x-writable-by', requests).map(([name, whom, names]) => [name, names, meaning[whom]])),
    table(['an answer shows of', '', 'to whom'], members('x-readable-by', answers).map(([name, whom, names]) => [name, names, meaning[whom]])),
  ].join('\n\n') + '\n';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) {
    const text = readFileSync(page, 'utf8');
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${page} has no place for the tables`);
    writeFileSync(page, text.slice(0, from + begin.length) + tables() + text.slice(to));
  } else {
    process.stdout.write(tables());
  }
}
