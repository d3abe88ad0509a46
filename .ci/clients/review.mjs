// Usage: review.mjs KITE URL TOKEN_FILE PROJECT, with the packages below ./node_modules
//
// kite_review with the official TypeScript SDK as the client, over stdio and HTTP, in each way in
// which it negotiates the protocol: its model is asked where it declares sampling, a client that
// cannot sample gets the brief back, and what a subagent said is recorded.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// This file lies elsewhere than the packages.
const require = createRequire(`${process.cwd()}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href).then((found) => found.default ?? found);
const { Client, StreamableHTTPClientTransport } = await load('@modelcontextprotocol/client');
const { StdioClientTransport } = await load('@modelcontextprotocol/client/stdio');

const [kite, url, tokenFile, project] = process.argv.slice(2);
const MODES = { legacy: 'legacy', auto: 'auto', modern: { pin: '2026-07-28' } };

function transport(kind) {
    if (kind === 'stdio') return new StdioClientTransport({ command: kite, args: ['mcp'], cwd: project, env: process.env, stderr: 'ignore' });
    const token = readFileSync(tokenFile, 'utf8').trim();
    return new StreamableHTTPClientTransport(new URL(url), {
        requestInit: { headers: { Authorization: `Bearer ${token}`, 'Kite-Directory': project } },
    });
}

async function connected(kind, mode, model) {
    const capabilities = model ? { sampling: {} } : {};
    const client = new Client({ name: 'ci', version: '1' }, { capabilities, versionNegotiation: { mode: MODES[mode] } });
    if (model) client.setRequestHandler('sampling/createMessage', model);
    await client.connect(transport(kind));
    return client;
}

async function call(client, name, args) {
    const result = await client.callTool({ name, arguments: args });
    assert(!result.isError, JSON.stringify(result));
    return result.content[0].text;
}

async function task(client, title) {
    return /: ([0-9a-f]{8})/.exec(await call(client, 'kite_task_create', { title }))[1];
}

async function sampled(kind, mode) {
    const asked = [];
    const client = await connected(kind, mode, async ({ params }) => {
        asked.push(params);
        const text = 'VERDICT: approve\nNothing to add.';
        return { role: 'assistant', content: { type: 'text', text }, model: 'ci-model-2', stopReason: 'endTurn' };
    });
    const id = await task(client, `Reviewed from TypeScript over ${kind}, ${mode}`);
    const answer = await call(client, 'kite_review', { task_id: id });
    assert.match(answer, /by sampling \(model ci-model-2\): approve/);
    assert.equal(asked.length, 1);
    assert.equal(asked[0].maxTokens, 2000);
    assert.equal(asked[0].modelPreferences.hints[0].name, 'claude-sonnet-4-6');
    assert.match(asked[0].messages[0].content.text ?? asked[0].messages[0].content[0].text, /\[kite review /);
    const version = client.getNegotiatedProtocolVersion();
    await client.close();
    return version;
}

async function briefBack(kind, mode) {
    const client = await connected(kind, mode);
    const id = await task(client, `Read by a subagent from TypeScript over ${kind}, ${mode}`);
    const brief = await call(client, 'kite_review', { task_id: id });
    assert.match(brief, /Start a subagent/);
    const review = /review_id=([0-9a-f]{8})/.exec(brief)[1];
    const kept = await call(client, 'kite_review', { review_id: review, answer: 'VERDICT: approve' });
    assert.match(kept, /by subagent \(model not told\): approve/);
    await client.close();
}

for (const kind of ['stdio', 'http']) {
    for (const mode of Object.keys(MODES)) {
        const version = await sampled(kind, mode);
        await briefBack(kind, mode);
        console.log(`typescript reviews, ${kind}, ${mode} (${version}): ok`);
    }
}
process.exit(0);
