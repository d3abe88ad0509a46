// Usage: token-proxy.mjs SERVER_URL TOKEN_FILE
//
// Passes everything on to Kite's HTTP server as it is, with the token added: the conformance suite
// has no way to send one. Prints its own address.
import { readFileSync } from 'node:fs';
import http from 'node:http';

const [url, tokenFile] = process.argv.slice(2);
const server = new URL(url);
const token = readFileSync(tokenFile, 'utf8').trim();

const proxy = http.createServer((request, response) => {
    const headers = [...request.rawHeaders, 'Authorization', `Bearer ${token}`];
    const options = { host: server.hostname, port: server.port, method: request.method, path: request.url, headers, setHost: false };
    const onward = http.request(options, (answer) => {
        response.writeHead(answer.statusCode, answer.rawHeaders);
        answer.pipe(response);
        answer.on('error', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    // A client that hangs up has cancelled.
    response.on('close', () => onward.destroy());
    request.pipe(onward);
});
proxy.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${proxy.address().port}/mcp`));
