// A certified OpenID provider on a free loopback port, for the tests.
//
// Reads one JSON value a line: first its settings, then orders; answers each with one. It ends when
// its input does, so that it never outlives the tests.

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { arrange } from './accounts.mjs';
import { showOrTake } from './pages.mjs';
import { makeProvider, newKeys } from './provider.mjs';
import { withdraw } from './storage.mjs';

// Standard output is for answers alone.
console.info = console.error;
console.log = console.error;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const settings = JSON.parse((await lines.next()).value);
const asked = {};
const revocations = [];
const endedGrants = [];
let keys = newKeys();
let issuer;
let provider;
let answer;

const server = createServer((request, response) => {
  const taken = request.url.startsWith('/interaction/')
    ? showOrTake(provider, request, response)
    : answer(request, response);
  Promise.resolve(taken).catch((error) => {
    console.error(error);
    if (!response.headersSent) response.writeHead(400, { 'Content-Type': 'text/plain' });
    response.end('This page cannot be shown: has the sign-in been finished or abandoned?');
  });
});
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
issuer = `http://127.0.0.1:${server.address().port}`;
begin();
say({ issuer });

const ORDERS = {
  // A new provider on the same storage: the library has no other public way to change keys.
  rotate_keys({ keep_old: keepsOld }) {
    keys = [...newKeys(), ...(keepsOld ? keys : [])];
    begin();
  },
  allow_redirect_uris({ uris }) {
    settings.redirectUris = [...new Set([...settings.redirectUris, ...uris])];
    begin();
  },
  arrange: ({ login, claims }) => arrange(login, claims),
  withdraw: ({ login }) => withdraw(login),
  asked: () => asked,
  revocations: () => revocations,
  ended_grants: () => endedGrants,
};

for await (const line of lines) {
  const { order, ...details } = JSON.parse(line);
  say(ORDERS[order](details) ?? null);
}
process.exit();

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function begin() {
  provider = makeProvider(issuer, keys, settings);
  provider.use(watch);
  provider.on('grant.revoked', (_ctx, grantId) => endedGrants.push(grantId));
  answer = provider.callback();
}

async function watch(ctx, next) {
  await next();
  const { client, entities, params, route } = ctx.oidc ?? {};
  if (!route) return;
  asked[route] = (asked[route] ?? 0) + 1;
  if (route === 'revocation' && ctx.status === 200) {
    const revoked = entities.RefreshToken ?? entities.AccessToken;
    revocations.push({
      token: params.token,
      client: client.clientId,
      kind: revoked?.kind ?? null,
      login: revoked?.accountId ?? null,
    });
  }
}
