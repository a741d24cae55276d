// An OAuth2 server for tests: `oidc-provider` gives out the tokens; `hydra.mjs` registers its clients as Ory Hydra does.
//
// node server.mjs --packages DIR --parent PID --api v1|v2.0|v2 --port N --admin-port N

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

import { admin } from './hydra.mjs';

// Only the addresses go to stdout.
console.log = console.info = console.error;

const { values: options } = parseArgs({
  options: {
    packages: { type: 'string' },
    parent: { type: 'string' },
    api: { type: 'string' },
    port: { type: 'string' },
    'admin-port': { type: 'string' },
  },
});
endWith(Number(options.parent));
const { Provider, errors } = createRequire(`${options.packages}/`)('oidc-provider');

// What the server knows: a map for each kind, such as `Client` and `ClientCredentials`.
const state = new Map();

class Adapter {
  constructor(kind) {
    if (!state.has(kind)) state.set(kind, new Map());
    this.rows = state.get(kind);
  }

  async find(id) {
    return this.rows.get(id);
  }

  async upsert(id, row) {
    this.rows.set(id, row);
  }

  async destroy(id) {
    this.rows.delete(id);
  }
}

const tokenServer = await listen(options.port);
const adminServer = await listen(options['admin-port']);
const publicUrl = origin(tokenServer);

// oidc-provider bounds scopes that nobody listed beforehand by the resource that a token is for: here always this one.
const RESOURCE = 'urn:oauth2-server:everything';

const provider = new Provider(publicUrl, {
  adapter: Adapter,
  clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
  extraClientMetadata: { properties: ['registered_scope'] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      getResourceServerInfo(ctx, resource, client) {
        if (resource !== RESOURCE) throw new errors.InvalidTarget();
        const registered = client.registered_scope.split(' ');
        for (const scope of ctx.oidc.requestParamScopes) {
          if (!registered.includes(scope)) throw new errors.InvalidScope('requested scope is not allowed', scope);
        }
        return { scope: client.registered_scope, accessTokenFormat: 'opaque' };
      },
    },
  },
  jwks: { keys: [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })] },
  responseTypes: [],
  routes: { token: '/oauth2/token', jwks: '/.well-known/jwks.json' },
  scopes: [],
  ttl: { ClientCredentials: 3600 },
});

tokenServer.on('request', provider.callback());
adminServer.on('request', admin({ api: options.api, provider, publicUrl, tokens: new Adapter('ClientCredentials').rows }));
process.stdout.write(`${JSON.stringify({ admin: origin(adminServer), public: publicUrl })}\n`);

// Ends with whoever started it, also when that was killed.
function endWith(parent) {
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) {
    process.stdin.on('close', () => process.exit()).on('error', () => process.exit()).resume();
  }
  setInterval(() => process.ppid === parent || process.exit(), 250).unref();
}

async function listen(port) {
  const server = createServer({ keepAliveTimeout: 0 });
  try {
    await once(server.listen(Number(port), '127.0.0.1'), 'listening');
  } catch (error) {
    console.error(`cannot listen on port ${port} of 127.0.0.1: ${error.code}`);
    process.exit(1);
  }
  return server;
}

function origin(server) {
  return `http://127.0.0.1:${server.address().port}`;
}
