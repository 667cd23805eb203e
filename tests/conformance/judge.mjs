// Judges workflows by GitHub's own parser and expressions: what of a text is an error, and
// which jobs run in a given world and under which names they then report.
//
// Reads one JSON object a line, {text, worlds}, and answers each with one line,
// {errors, worlds}. A world is {github, vars, inputs, cancelled, results, outputs, judged}:
// how jobs end that run, and what they put out; the job `judged` fails when one of its
// steps runs. What is ours, and not GitHub's packages', is
// how outcomes travel along `needs` and how a matrix expands:
// https://docs.github.com/actions/reference/workflows-and-actions/expressions#status-check-functions
import { register } from 'node:module';
import { createInterface } from 'node:readline';

// The package imports JSON in a way that only bundlers understand.
const asModule = `
  import { readFile } from 'node:fs/promises';
  export async function load(url, context, next) {
    if (!url.endsWith('.json')) return next(url, context);
    const text = await readFile(new URL(url), 'utf8');
    return { format: 'module', source: 'export default ' + text, shortCircuit: true };
  }`;
register('data:text/javascript,' + encodeURIComponent(asModule));
const packages = new URL('../../target/conformance/node_modules/@actions/', import.meta.url);
const from = (path) => import(new URL(path, packages));
const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = await from('workflow-parser/dist/index.js');
const { Lexer, Parser, Evaluator, data } = await from('expressions/dist/index.js');

const CONTEXTS = ['github', 'needs', 'strategy', 'matrix', 'inputs', 'vars', 'env', 'secrets', 'runner', 'steps', 'job'];

const toData = (value) => JSON.parse(JSON.stringify(value ?? null), data.reviver);
const fromData = (value) => {
  if (value.kind === data.Kind.Array) return value.values().map(fromData);
  if (value.pairs) return Object.fromEntries(value.pairs().map(({ key, value }) => [key, fromData(value)]));
  return value.kind === data.Kind.Null ? null : value.value;
};

const parsed = new Map();
function compute(text, contexts, statuses) {
  const functions = Object.entries(statuses).map(([name, of]) => ({
    name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(of()),
  }));
  functions.push({ name: 'hashFiles', minArgs: 1, maxArgs: 255, call: () => new data.StringData('0') });
  const key = text + (statuses.always ? '' : ' without');
  if (!parsed.has(key)) parsed.set(key, new Parser(new Lexer(text).lex().tokens, CONTEXTS, functions).parse());
  const entries = Object.entries(contexts).map(([name, value]) => ({ key: name, value: toData(value) }));
  const known = new Map(functions.map((it) => [it.name.toLowerCase(), it]));
  return fromData(new Evaluator(parsed.get(key), new data.Dictionary(...entries), known).evaluate());
}
const isTrue = (value) => !(value === null || value === false || value === 0 || value === '' || Number.isNaN(value));

// A token of the parsed file as a plain value. Kinds: 1 list, 2 mapping, 3 expression.
function plain(token, contexts) {
  if (token === undefined || token === null) return undefined;
  if (token.templateTokenType === 3) return compute(token.expression, contexts, {});
  if (token.templateTokenType === 1) {
    return Array.from({ length: token.count }, (_, at) => plain(token.get(at), contexts));
  }
  if (token.templateTokenType !== 2) return token.value ?? null;
  const pairs = Array.from({ length: token.count }, (_, at) => token.get(at));
  return Object.fromEntries(pairs.map((pair) => [String(plain(pair.key, contexts)), plain(pair.value, contexts)]));
}

// https://docs.github.com/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations
function combinations({ include = [], exclude = [], ...axes }) {
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const covers = (pattern, of) => Object.entries(pattern).every(([key, value]) =>
    value && typeof value === 'object' && !Array.isArray(value) ? covers(value, of[key] ?? {}) : same(of[key], value));
  let found = Object.keys(axes).length ? [{}] : [];
  for (const [key, values] of Object.entries(axes)) {
    if (!Array.isArray(values) || !values.length) throw new Error(`the vector ${key} is empty`);
    found = found.flatMap((one) => values.map((value) => ({ ...one, [key]: value })));
  }
  found = found.filter((one) => !exclude.some((pattern) => covers(pattern, one)));
  const originals = found.map((one) => ({ ...one }));
  const added = [];
  for (const extra of include) {
    const into = found.filter((_, at) => Object.entries(extra).every(([key, value]) =>
      !(key in originals[at]) || same(originals[at][key], value)));
    into.forEach((one) => Object.assign(one, extra));
    if (!into.length) added.push({ ...extra });
  }
  if (!found.length && !added.length) throw new Error('the matrix is empty');
  return [...found, ...added];
}

const rawName = (job) => job.name ? job.name.source ?? job.name.value ?? job.name.toString() : job.id.value;

// The names under which a job that runs reports.
function names(job, legs, contexts) {
  const raw = rawName(job);
  if (!legs) return [job.name?.expression ? String(compute(job.name.expression, contexts, {})) : raw];
  const leaves = (value) => value && typeof value === 'object' ? Object.values(value).flatMap(leaves) : [String(value)];
  const name = (matrix) => job.name?.expression
    ? String(compute(job.name.expression, { ...contexts, matrix }, {}))
    : `${raw} (${leaves(matrix).join(', ')})`;
  return legs.map(name);
}

async function read(text) {
  const found = parseWorkflow({ name: 'w.yml', content: text }, new NoOperationTraceWriter());
  let template = null;
  try {
    if (found.value) template = await convertWorkflowTemplate(found.context, found.value, undefined, { errorPolicy: 1 });
  } catch (fault) {
    found.context.error(undefined, fault);
  }
  const errors = found.context.errors.getErrors().map((it) => it.message ?? String(it));
  return { errors, jobs: template?.jobs ?? [] };
}

function outcomes(jobs, world) {
  const byId = new Map(jobs.map((job) => [job.id.value.toLowerCase(), job]));
  const needsOf = (job) => (job.needs ?? []).map((need) => need.value);
  const done = new Map();
  const above = (job, seen = new Set()) => {
    for (const need of needsOf(job)) {
      const id = need.toLowerCase();
      if (seen.has(id)) continue;
      seen.add(id);
      if (byId.has(id)) above(byId.get(id), seen);
    }
    return [...seen].map((id) => done.get(id)).filter(Boolean);
  };
  const github = { event_name: 'pull_request', ref: 'refs/pull/1/merge', repository: 'o/r', event: {}, ...world.github };
  const open = new Set(byId.keys());
  for (;;) {
    const id = [...open].find((it) => needsOf(byId.get(it)).every((need) => !open.has(need.toLowerCase())));
    if (id === undefined) break;
    open.delete(id);
    done.set(id, outcome(byId.get(id), { above, needsOf, done, github, world }));
  }
  return Object.fromEntries([...done].map(([id, it]) => [byId.get(id).id.value, { result: it.result, error: it.error, checks: it.checks }]));
}

function outcome(job, { above, needsOf, done, github, world }) {
  const ancestors = above(job);
  const needs = Object.fromEntries(needsOf(job).filter((need) => done.has(need.toLowerCase())).map((need) => {
    const { result, outputs } = done.get(need.toLowerCase());
    return [need, { result, outputs }];
  }));
  const contexts = { github, needs, vars: world.vars ?? {}, inputs: world.inputs ?? {} };
  const statuses = {
    success: () => !world.cancelled && ancestors.every((it) => it.result === 'success'),
    failure: () => !world.cancelled && ancestors.some((it) => it.result === 'failure'),
    cancelled: () => Boolean(world.cancelled),
    always: () => true,
  };
  const id = job.id.value;
  const ended = (result, checks, error) => ({ result, checks, error, outputs: result === 'skipped' ? {} : world.outputs?.[id] ?? {} });
  let runs;
  try {
    runs = isTrue(compute(job.if?.expression ?? 'success()', contexts, statuses));
  } catch (fault) {
    return ended('failure', [], 'if: ' + fault.message);
  }
  let legs = null;
  try {
    if (!runs) return ended('skipped', [rawName(job)]);
    const matrix = job.strategy ? plain(job.strategy, contexts).matrix : undefined;
    if (matrix) legs = combinations(matrix);
    const fails = world.judged === id && job.steps.some((step) => isTrue(compute(step.if.expression, contexts, statuses)));
    return ended(fails ? 'failure' : world.results?.[id] ?? 'success', names(job, legs, contexts));
  } catch (fault) {
    return ended('failure', [], 'matrix: ' + fault.message);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { text, worlds } = JSON.parse(line);
  const { errors, jobs } = await read(text);
  const answers = (worlds ?? []).map((world) => outcomes(jobs, world));
  process.stdout.write(JSON.stringify({ errors, worlds: answers }) + '\n');
}
