// A real provider of OpenID Connect for the tests: `node provider.js PORT DESK`. People are those of GET /people, which POST /people sets.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [port, desk] = process.argv.slice(2);
let people = {};
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "deskpulse",
      client_secret: "s3cret:with/signs",
      redirect_uris: [`${desk}/login/back`],
      post_logout_redirect_uris: [`${desk}/`],
      backchannel_logout_uri: `${desk}/login/ended`,
      backchannel_logout_session_required: true,
      grant_types: ["authorization_code", "refresh_token"],
    },
  ],
  claims: { profile: ["preferred_username", "groups", "employee_id", "teams"] },
  features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  pkce: { required: () => true },
  // Without being asked for offline_access: as most providers do.
  issueRefreshToken: () => true,
  findAccount: (_, id) => (people[id] ? { accountId: id, claims: () => ({ sub: id, ...people[id] }) } : undefined),
  cookies: { keys: ["of the tests"] },
});
const answer = provider.callback();
createServer((request, response) => {
  if (request.url !== "/people") return answer(request, response);
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    people = JSON.parse(body);
    response.end("{}");
  });
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
