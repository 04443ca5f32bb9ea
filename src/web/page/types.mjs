// Writes `src/api.types.ts` from the description of the API that the program carries: every row, and of every route what
// it asks for and what it gives. With `--check` it writes nothing, and fails where the file is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs';

const described = new URL('../../api/openapi.json', import.meta.url);
const target = new URL('src/api.types.ts', import.meta.url);
const { paths, components } = JSON.parse(readFileSync(described, 'utf8'));

const field = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

function comment(text, indent = '') {
  if (!text) return '';
  const words = text.replaceAll('*/', '* /').replace(/\s+/g, ' ').trim();
  return `${indent}/** ${words} */\n`;
}

function object(schema, indent) {
  const inner = indent + '  ';
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties).map(([name, of]) => {
    const mark = required.has(name) ? '' : '?';
    return `${comment(of.description, inner)}${inner}${field(name)}${mark}: ${type(of, inner)};\n`;
  });
  return fields.length ? `{\n${fields.join('')}${indent}}` : 'Record<string, never>';
}

/** A schema in TypeScript's words. */
function type(schema, indent = '') {
  if (schema.$ref) return schema.$ref.split('/').pop();
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  const parts = [];
  for (const some of [schema.oneOf, schema.anyOf]) {
    if (some) parts.push([...new Set(some.map((one) => type(one, indent)))].join(' | '));
  }
  if (schema.properties) parts.push(object(schema, indent));
  if (parts.length) return parts.length > 1 ? parts.map((part) => `(${part})`).join(' & ') : parts[0];
  if (schema.allOf) return schema.allOf.map((one) => type(one, indent)).join(' & ');
  const kinds = [schema.type].flat().map((kind) => {
    switch (kind) {
      case 'array': {
        const of = type(schema.items ?? {}, indent);
        return /^\w+$/.test(of) ? `${of}[]` : `Array<${of}>`;
      }
      case 'integer':
      case 'number':
        return 'number';
      case 'string':
      case 'boolean':
      case 'null':
        return kind;
      default:
        return 'unknown';
    }
  });
  return kinds.join(' | ');
}

function asks(said) {
  const fields = (said.parameters ?? [])
    .filter((one) => one.in !== 'header')
    .map((one) => `${field(one.name)}${one.required ? '' : '?'}: ${type(one.schema)}`);
  const own = fields.length ? [`{ ${fields.join('; ')} }`] : [];
  const body = said.requestBody?.content?.['application/json'];
  if (body) own.push(said.requestBody.required ? type(body.schema) : `Partial<${type(body.schema)}>`);
  return own.join(' & ') || 'Record<never, never>';
}

function gives(said) {
  const content = said.responses['200']?.content ?? {};
  const json = content['application/json'];
  return json ? type(json.schema) : content['text/plain'] ? 'string' : 'unknown';
}

let text = '// Written by types.mjs from src/api/openapi.json; whoever changes that runs `npm run build` here.\n';
for (const [name, schema] of Object.entries(components.schemas)) {
  text += `\n${comment(schema.description)}export type ${name} = ${type(schema)};\n`;
}
text += '\n/** Of every route, the fields that it asks for and what it gives. */\nexport interface Routes {\n';
for (const [path, methods] of Object.entries(paths)) {
  for (const [method, said] of Object.entries(methods)) {
    const name = `${method.toUpperCase()} ${path}`;
    text += `${comment(said.summary, '  ')}  '${name}': { asks: ${asks(said)}; gives: ${gives(said)} };\n`;
  }
}
text += '}\n';

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('src/api.types.ts is not what src/api/openapi.json says: npm run build');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
