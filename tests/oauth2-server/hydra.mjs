// The admin API of Ory Hydra, as far as clients and introspection go, in front of an oidc-provider.
//
// It is stricter than Hydra: a property that Hydra's own description does not have is refused, not ignored.

import { randomInt, randomUUID } from 'node:crypto';

// The flavours: v1 is 1.x, v2.0 is 2.0 and 2.1, v2 is 2.2 and later.
const BASE = { v1: '', 'v2.0': '/admin', v2: '/admin' };

// The properties of `oAuth2Client` in Hydra's spec/api.json of 2.0.3, by type.
const PROPERTIES = {
  string: `backchannel_logout_uri client_id client_name client_secret client_uri created_at frontchannel_logout_uri jwks_uri
    logo_uri owner policy_uri registration_access_token registration_client_uri request_object_signing_alg scope
    sector_identifier_uri subject_type token_endpoint_auth_method token_endpoint_auth_signing_alg tos_uri updated_at
    userinfo_signed_response_alg`,
  duration: `authorization_code_grant_access_token_lifespan authorization_code_grant_id_token_lifespan
    authorization_code_grant_refresh_token_lifespan client_credentials_grant_access_token_lifespan
    implicit_grant_access_token_lifespan implicit_grant_id_token_lifespan jwt_bearer_grant_access_token_lifespan
    refresh_token_grant_access_token_lifespan refresh_token_grant_id_token_lifespan
    refresh_token_grant_refresh_token_lifespan`,
  strings: `allowed_cors_origins audience contacts grant_types post_logout_redirect_uris redirect_uris request_uris
    response_types`,
  boolean: 'backchannel_logout_session_required frontchannel_logout_session_required',
  integer: 'client_secret_expires_at',
  object: 'jwks metadata',
};

// What 1.11.10 and 2.2.0 have beside these.
const MORE_PROPERTIES = {
  v1: { duration: 'password_grant_access_token_lifespan password_grant_refresh_token_lifespan' },
  'v2.0': {},
  v2: { string: 'access_token_strategy', boolean: 'skip_consent skip_logout_consent' },
};

const IS = {
  string: (value) => typeof value === 'string',
  duration: (value) => typeof value === 'string' && /^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$/.test(value),
  strings: (value) => Array.isArray(value) && value.every(IS.string),
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isSafeInteger(value),
  object: (value) => typeof value === 'object' && !Array.isArray(value),
};

const DEFAULT_SCOPE = 'offline_access offline openid';
const SECRET_LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~';
const FAULTS = ['refuse', 'lose'];

class Refusal extends Error {
  constructor(status, error, description = '') {
    super(error);
    this.status = status;
    this.body = { error, error_description: description };
  }
}

const malformed = (why) => new Refusal(400, 'The request was malformed or contained invalid parameters', why);
const badMetadata = (why) => new Refusal(400, 'invalid_client_metadata', why);
const badRequest = (why) => new Refusal(400, 'invalid_request', why);
const unknown = () => new Refusal(404, 'Unable to locate the resource');
const taken = () =>
  new Refusal(409, 'Unable to insert or update resource because a resource with that value exists already');

/** Returns what answers the requests on the admin port. */
export function admin({ api, provider, publicUrl, tokens }) {
  const base = BASE[api];
  const types = typesOf(api);
  const clients = new Map();
  const faults = [];

  return async (request, response) => {
    try {
      const { pathname: path, searchParams: query } = new URL(request.url, publicUrl);
      const call = { method: request.method, path, query, type: request.headers['content-type'], text: await read(request) };
      const control = controls(call);
      if (control) return send(response, control);
      const fault = takeFault(call);
      if (fault?.kind === 'refuse') throw new Refusal(fault.status, 'refused by a fault');
      const answer = await act(call);
      return fault?.kind === 'lose' ? response.socket.destroy() : send(response, answer);
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      return send(response, { status: error.status ?? 500, body: error.body ?? { error: 'internal', error_description: '' } });
    }
  };

  // What is not Hydra's: the tests' own controls. Health is here so that no fault meets it.
  function controls({ method, path, text }) {
    switch (`${method} ${path}`) {
      case 'GET /health/alive':
      case 'GET /health/ready':
        return { status: 200, body: { status: 'ok' } };
      case 'POST /_faults':
        faults.push(...faultsIn(text));
        return { status: 204 };
      default:
        return undefined;
    }
  }

  function takeFault({ method, path }) {
    const at = faults.findIndex((fault) => fault.method === method && path.startsWith(fault.path ?? '/'));
    return at < 0 ? undefined : faults.splice(at, 1)[0];
  }

  async function act(call) {
    const { method, path } = call;
    if (path === `${base}/oauth2/introspect` && method === 'POST') return introspect(call);
    if (path === `${base}/clients`) {
      if (method === 'POST') return create(call);
      if (method === 'GET') return list(call);
    } else if (path.startsWith(`${base}/clients/`)) {
      const id = decodeURIComponent(path.slice(`${base}/clients/`.length));
      if (!clients.has(id)) throw unknown();
      if (method === 'GET') return { status: 200, body: readBack(clients.get(id)) };
      if (method === 'DELETE') return remove(id);
    }
    throw new Refusal(404, `the facade has no ${method} ${path}`);
  }

  async function create({ text }) {
    const given = propertiesIn(text, types);
    if (api === 'v2.0' && given.client_id) {
      throw malformed(
        'It is no longer possible to set an OAuth2 Client ID as a user. The system will generate a unique ID for you.',
      );
    }
    const now = timestamp();
    const client = complete({
      ...given,
      client_id: given.client_id || randomUUID(),
      client_secret: given.client_secret || generateSecret(),
      created_at: now,
      updated_at: now,
    });
    await register(client);
    const location = `${base}/clients/${encodeURIComponent(client.client_id)}`;
    const registration = {
      registration_access_token: `ory_at_${generateSecret()}`,
      registration_client_uri: `${publicUrl}/oauth2/register/${encodeURIComponent(client.client_id)}`,
    };
    return { status: 201, headers: { location }, body: { ...client, ...registration } };
  }

  async function register(client) {
    const { client_id, client_secret, grant_types, scope, token_endpoint_auth_method } = client;
    const metadata = {
      client_id,
      client_secret,
      grant_types: (grant_types ?? []).filter((grant) => grant === 'client_credentials'),
      redirect_uris: [],
      response_types: [],
      registered_scope: scope,
      token_endpoint_auth_method,
    };
    try {
      await provider.Client.validate(metadata);
    } catch (error) {
      throw badMetadata(error.error_description ?? error.message);
    }
    // Asked only after the wait, during which another may have come with the same id.
    if (clients.has(client_id)) throw taken();
    clients.set(client_id, client);
    await provider.Client.adapter.upsert(client_id, metadata);
  }

  async function remove(id) {
    clients.delete(id);
    await provider.Client.adapter.destroy(id);
    for (const [token, { clientId }] of tokens) {
      if (clientId === id) tokens.delete(token);
    }
    return { status: 204 };
  }

  function list({ path, query }) {
    const found = [...clients.values()]
      .filter((client) => ['owner', 'client_name'].every((name) => !query.get(name) || client[name] === query.get(name)))
      .map(readBack)
      .sort((one, other) => (one.client_id < other.client_id ? -1 : 1));
    if (api === 'v1') {
      const offset = numberIn(query, 'offset', 0);
      return { status: 200, body: found.slice(offset, offset + Math.min(numberIn(query, 'limit', 100), 500)) };
    }
    const size = Math.min(numberIn(query, 'page_size', 250) || 250, 500);
    const after = Buffer.from(query.get('page_token') ?? '', 'base64url').toString();
    const rest = found.filter((client) => client.client_id > after);
    const page = rest.slice(0, size);
    const links = [link(path, query, size, '', 'first')];
    if (rest.length > size) links.push(link(path, query, size, page.at(-1).client_id, 'next'));
    return { status: 200, headers: { link: links.join(',') }, body: page };
  }

  async function introspect({ type, text }) {
    if (!type?.startsWith('application/x-www-form-urlencoded') || !text) {
      throw badRequest('The POST body can not be empty.');
    }
    const form = new URLSearchParams(text);
    const token = await provider.ClientCredentials.find(form.get('token') ?? '');
    const wanted = form.get('scope')?.split(' ').filter(Boolean) ?? [];
    if (!token?.isValid || !(await provider.Client.find(token.clientId)) || !wanted.every((one) => token.scopes.has(one))) {
      return { status: 200, body: { active: false } };
    }
    const { clientId, exp, iat, scope = '' } = token;
    const both = { active: true, scope, client_id: clientId, sub: clientId, exp, iat, iss: provider.issuer };
    const rest = api === 'v1'
      ? { token_type: 'access_token' }
      : { nbf: iat, aud: [], token_type: token.tokenType, token_use: 'access_token' };
    return { status: 200, body: { ...both, ...rest } };
  }

  // Adds what Hydra answers for properties that nobody gave; which lists are then null is as Hydra has it.
  function complete(given) {
    if (given.client_secret?.length < 6) {
      throw badMetadata('Field client_secret must contain a secret that is at least 6 characters long.');
    }
    const lifespans = Object.keys(types).filter((name) => types[name] === 'duration');
    return {
      redirect_uris: null,
      grant_types: null,
      response_types: null,
      audience: [],
      allowed_cors_origins: [],
      contacts: null,
      ...Object.fromEntries(['client_name', 'owner', 'policy_uri', 'tos_uri', 'client_uri', 'logo_uri'].map((name) => [name, ''])),
      jwks: {},
      metadata: {},
      ...(api === 'v2' ? { skip_consent: false, skip_logout_consent: null } : {}),
      ...Object.fromEntries(lifespans.map((name) => [name, null])),
      ...given,
      client_secret_expires_at: 0,
      scope: given.scope || DEFAULT_SCOPE,
      subject_type: given.subject_type || 'public',
      token_endpoint_auth_method: given.token_endpoint_auth_method || 'client_secret_basic',
      userinfo_signed_response_alg: given.userinfo_signed_response_alg || 'none',
    };
  }
}

function typesOf(api) {
  const rows = [...Object.entries(PROPERTIES), ...Object.entries(MORE_PROPERTIES[api])];
  return Object.fromEntries(rows.flatMap(([type, names]) => names.split(/\s+/).map((name) => [name, type])));
}

// Reads a client; null is as good as absent.
function propertiesIn(text, types) {
  const given = json(text);
  if (given === null || !IS.object(given)) throw malformed('Unable to decode the request body: it is not an object');
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(types, name)) throw malformed(`Unable to decode the request body: no property is named ${name}`);
    if (value !== null && !IS[types[name]](value)) {
      throw malformed(`Unable to decode the request body: ${name} is not of type ${types[name]}`);
    }
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

// A client as it is read later: without its secret, and with empty lists for those that are null.
function readBack({ client_secret: _, ...client }) {
  const lists = ['redirect_uris', 'grant_types', 'response_types', 'contacts'];
  return { ...client, ...Object.fromEntries(lists.map((name) => [name, client[name] ?? []])) };
}

function faultsIn(text) {
  const faults = json(text);
  const good = ({ method, kind, status }) =>
    IS.string(method) && FAULTS.includes(kind) && (kind !== 'refuse' || (status >= 400 && status <= 599));
  if (!Array.isArray(faults) || !faults.every((fault) => fault && good(fault))) throw malformed('not an array of faults');
  return faults;
}

function link(path, query, size, after, rel) {
  const target = new URLSearchParams(query);
  target.set('page_size', size);
  target.delete('page_token');
  if (after) target.set('page_token', Buffer.from(after).toString('base64url'));
  return `<${path}?${target}>; rel="${rel}"`;
}

function numberIn(query, name, otherwise) {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^\d+$/.test(text)) throw malformed(`Unable to parse pagination parameters: ${name}`);
  return Number(text);
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(`Unable to decode the request body: ${error.name}`);
  }
}

function generateSecret() {
  return Array.from({ length: 26 }, () => SECRET_LETTERS[randomInt(SECRET_LETTERS.length)]).join('');
}

function timestamp() {
  return new Date().toISOString().replace(/\.\d+/, '');
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function send(response, { status, headers, body }) {
  response.writeHead(status, { ...(body ? { 'content-type': 'application/json; charset=utf-8' } : {}), ...headers });
  response.end(body && JSON.stringify(body));
}
