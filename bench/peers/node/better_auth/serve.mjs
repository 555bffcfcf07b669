// Serves the question in the way that BENCH_WAY names. A check loads the session's row and the
// person's row; the cookie cache, where it is on, asks no database.
import { createServer } from "node:http";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";
import { auth } from "./auth.mjs";

const { PORT, BENCH_ORIGIN, BENCH_WAY } = process.env;

// The library's own HTTP handler: null for whoever is not signed in.
const handler = toNodeHandler(auth);

// What its documentation shows for a server of one's own.
async function getSession(request, response) {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
  if (!session) {
    response.writeHead(401, { "content-length": 0 }).end();
    return;
  }
  const body = JSON.stringify(session);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  response.writeHead(200, headers).end(body);
}

// nginx lets in on any 2xx, so the handler's null becomes 401 here.
async function handlerForProxy(request, response) {
  const asked = new Request(`${BENCH_ORIGIN}/api/auth/get-session`, {
    headers: fromNodeHeaders(request.headers),
  });
  const answer = await auth.handler(asked);
  const found = await answer.json();
  if (!found) {
    response.writeHead(401, { "content-length": 0 }).end();
    return;
  }
  response.writeHead(204, { "x-auth-email": found.user.email }).end();
}

async function getSessionForProxy(request, response) {
  const found = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
  if (!found) {
    response.writeHead(401, { "content-length": 0 }).end();
    return;
  }
  response.writeHead(204, { "x-auth-email": found.user.email }).end();
}

const ways = { handler, getSession, handlerForProxy, getSessionForProxy };
createServer(ways[BENCH_WAY]).listen(Number(PORT), "127.0.0.1");
