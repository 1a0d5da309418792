// The routes of tenants: their life for administrators, and what tenants do themselves with their tokens. README.md
// lists them; docs/openapi.yaml describes them and is served beside them.
//
// A tenant's token sees its own tenant and nothing else: what belongs to others is answered exactly as what does not
// exist.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/api/api.hpp"
#include "dns-backend/domains/verify.hpp"
#include "dns-backend/tenants/plan.hpp"
#include "dns-backend/tokens/rate.hpp"
#include "dns-backend/tokens/tokens.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <string>

namespace api {

// A certificate that a tenant brings, and what became of it.
struct BroughtCertificate {
  std::string chain_pem;
  std::string key_pem;
  bool fallback = true;  // one of our own is ordered before it ends
};
struct Taking {
  base::Problems problems;  // nothing was stored when there are any
  boost::json::value certificate;
};
using TakeCertificate =
    std::function<net::Task<base::Result<Taking>>(std::int64_t tenant_id, std::string name, BroughtCertificate)>;
using DropCertificate = std::function<net::Task<base::Result<void>>(std::int64_t tenant_id, std::string name)>;

struct TenantDependencies {
  Dependencies const& api;
  tokens::Tokens& tokens;
  tenants::Policy policy = {};
  // Certificates of the tenant with this id, each as /v1/status shows it. May be empty.
  std::function<boost::json::array(std::int64_t tenant_id)> certificates = {};
  // Looks at a domain now, and says what it found as domains::Verifier does. May be empty: 503.
  std::function<net::Task<base::Result<domains::Verdict>>(std::int64_t domain_id)> verify = {};
  std::function<std::int64_t()> now_ms = {};  // Unix time; empty: the clock
  // `name` without final dot. Failures: store::errc; boost::system::errc::device_or_resource_busy (an order is under
  // way: 409), resource_unavailable_try_again (another Navigator issues: 503). May be empty: 503.
  TakeCertificate take_certificate = {};
  DropCertificate drop_certificate = {};
  // What a domain delegates below its name so that its certificate can be had. Empty: _acme-challenge.
  std::function<std::vector<std::string>()> challenge_labels = {};
  // Whether every site in service has acknowledged this revision, and so answers what it holds. May be empty: yes.
  std::function<bool(store::Revision revision)> is_everywhere = {};
  // Of each tenant: its certificates brought or taken away, its clusters changed.
  tokens::RateSettings moves{1.0 / 30, 20};
};

// `dependencies` and all it refers to must outlive the router.
void add_tenant_routes(net::Router& router, TenantDependencies const& dependencies);

}  // namespace api
