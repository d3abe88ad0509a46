// Usage: client.mjs KITE URL TOKEN_FILE PROJECT HELD_LOCK, with the packages below ./node_modules
//
// The official TypeScript SDK against Kite, over stdio and HTTP, in each way in which it negotiates
// the protocol: tools, a received update, a resource, a prompt, progress and cancellation.
// HELD_LOCK is the name of a lock that somebody else holds.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// This file lies elsewhere than the packages.
const require = createRequire(`${process.cwd()}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href).then((found) => found.default ?? found);
const { Client, StreamableHTTPClientTransport } = await load('@modelcontextprotocol/client');
const { StdioClientTransport } = await load('@modelcontextprotocol/client/stdio');

const [kite, url, tokenFile, project, heldLock] = process.argv.slice(2);
const PENDING = 'kite://tasks/pending';
const MODES = { legacy: 'legacy', auto: 'auto', modern: { pin: '2026-07-28' } };
const SOON_MS = 20_000;

function transport(kind) {
    if (kind === 'stdio') return new StdioClientTransport({ command: kite, args: ['mcp'], cwd: project, env: process.env, stderr: 'ignore' });
    const token = readFileSync(tokenFile, 'utf8').trim();
    return new StreamableHTTPClientTransport(new URL(url), {
        requestInit: { headers: { Authorization: `Bearer ${token}`, 'Kite-Directory': project } },
    });
}

// Resolves when `happens` has called its argument.
function soon(what, happens) {
    return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`not in time: ${what}`)), SOON_MS);
        happens((value) => {
            clearTimeout(late);
            resolve(value);
        });
    });
}

async function talk(kind, mode) {
    const client = new Client({ name: 'ci', version: '1' }, { versionNegotiation: { mode: MODES[mode] } });
    let updated = () => {};
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => updated(params.uri));
    await client.connect(transport(kind));
    const { tools } = await client.listTools();
    assert(tools.some((tool) => tool.name === 'kite_task_create'));

    const version = client.getNegotiatedProtocolVersion();
    let subscription;
    const first = soon('the first update', (done) => (updated = done));
    if (version >= '2026-07-28') subscription = await client.listen({ resourceSubscriptions: [PENDING] });
    else await client.subscribeResource({ uri: PENDING });
    // What it is like now is told at once; then whatever changes it.
    assert.equal(await first, PENDING);
    const second = soon('the second update', (done) => (updated = done));
    const title = `From TypeScript over ${kind}, ${mode}`;
    const created = await client.callTool({ name: 'kite_task_create', arguments: { title } });
    assert.match(created.content[0].text, /^Task created: /);
    assert.equal(await second, PENDING);
    await subscription?.close();

    const read = await client.readResource({ uri: PENDING });
    assert(read.contents[0].text.includes(title));
    const { prompts } = await client.listPrompts();
    assert(prompts.some((prompt) => prompt.name === 'standup'));
    const got = await client.getPrompt({ name: 'standup' });
    assert(got.messages[0].content.text);
    await waitAndCancel(client);
    console.log(`typescript, ${kind}, ${mode} (${version}): ok`);
    await client.close();
}

async function waitAndCancel(client) {
    const cancel = new AbortController();
    let waiting;
    await soon('progress', (done) => {
        const options = { onprogress: done, signal: cancel.signal };
        waiting = client.callTool({ name: 'kite_file_lock', arguments: { name: heldLock, wait_seconds: 40 } }, options);
        waiting.catch(() => {});
    });
    cancel.abort('enough');
    await assert.rejects(waiting);
    // Whoever cancelled is served as before.
    const listed = await client.callTool({ name: 'kite_task_list', arguments: {} });
    assert(!listed.isError);
}

for (const kind of ['stdio', 'http']) {
    for (const mode of Object.keys(MODES)) await talk(kind, mode);
}
process.exit(0);
