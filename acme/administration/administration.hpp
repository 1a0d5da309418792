// Certificates as administrators see and order them.
//
//   GET  /v1/acme/certificates?due=1          {"certificates":[...]}; with due: only those that are wanted now
//                                             in pages: ?limit=&cursor=
//   GET  /v1/acme/certificates/{name}         why it is as it is: what is wrong, each fault with what mends it, CNAME
//                                             chain, CAA, each site's TXT, limits, attempts
//   POST /v1/acme/certificates/{name}/order   tries now; {"staging":true}: a rehearsal at the staging CA, nothing kept
//   POST /v1/acme/certificates/{name}/revoke  {"reason":"keyCompromise"}; a replacement is ordered at once
//   GET  /v1/acme/accounts                    each CA's directory, account, state
//   POST /v1/acme/accounts/rekey, /agree      {"directory":"..."}; empty: the first CA
//
// {name} is a tenant's label or a name of its certificate. 404: no such name, 409: the CA refused, 422: the body
// makes no sense, 503: this Navigator does not issue now.
//
// Threads: belongs to the control loop; what it is given must outlive the router.
#pragma once

#include "acme/explain/explain.hpp"
#include "acme/issuer.hpp"
#include "base/http/http.hpp"
#include "dns-backend/store/store.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace acme {

struct Administration {
  Issuer& issuer;
  store::Store& store;
  std::function<std::vector<Site>()> sites;
  std::function<bool(net::HttpRequest const&)> is_admin;
  vault::Vault* vault = nullptr;  // without it neither keys nor edges are looked at
  // Where the CNAMEs at a tenant's name lead, by the resolver; empty: as far as our own zones say.
  std::function<net::Task<base::Result<ChainSight>>(std::int64_t tenant_id, std::string name)> trace = {};
  CaaLook caa_look = {};  // as IssuerSettings has it
};

void add_routes(net::Router& router, Administration const& administration);

// RFC 5280 section 5.3.1 by its words: "unspecified", "keyCompromise", "affiliationChanged", "superseded",
// "cessationOfOperation", "privilegeWithdrawn".
[[nodiscard]] std::optional<std::int64_t> reason_of(std::string_view word);

}  // namespace acme
