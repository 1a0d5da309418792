// Stands around every route of the router: who asks (bearer tokens), how often, what was asked before
// (Idempotency-Key), and the audit log. What somebody may do is each route's own matter.
//
// Every answer gets a Request-Id. 401: a token nobody has, or that ended. 429 with Retry-After: too often. 409: a
// request with this key is still at work; 422: the key was used for another request. Requests that change something are
// written to the audit log whatever came of them, but for those that machines exchange all the time, and for what a
// tenant or a stranger was refused: the log keeps its rows for more than a year, and would be theirs to fill. A route
// may say otherwise, and whose row it is (log_reason_header in dns-backend/api/access.hpp).
//
// Whoever shows a token has its rights and no others, also those of the connection it came by. All tokens of a tenant
// share one rate. On a replica a request with a token, and no other, goes to the primary as it is, with the client's
// address in Navigator-Client; that header is believed of certificates of `admins` alone and goes no further. What an
// account of acme-dns sends through a replica is the account's deed, not the replica's; so is a stranger's sign-up.
//
// A request that changes something is finished and remembered though its client hangs up. What it changed, and that it
// is under way, are one transaction; its row of the audit log and its kept answer are another. One that a process did
// not live to answer gets its row at the next start, and a repeat of it 409: it was done, and is not done twice.
//
// Threads: the control loop; it must outlive the router's last dispatch.
#pragma once

#include "dns-backend/api/access.hpp"
#include "dns-backend/audit/under_way.hpp"
#include "dns-backend/tokens/rate.hpp"
#include "dns-backend/tokens/tokens.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace api {

struct GateSettings {
  tokens::RateSettings token{};            // of each tenant, or of each administrator's token
  tokens::RateSettings failures{0.2, 20};  // of each address: wrong tokens
  std::function<std::int64_t()> now_ms = {};  // Unix time; empty: the clock
  // Of each tenant: requests that change something. The audit log has a row for each and may not be cut for a year.
  tokens::RateSettings changes{10000.0 / 86400, 2000};
};

class Gate {
 public:
  Gate(Dependencies const& dependencies, tokens::Tokens const& tokens, process::Metrics& metrics,
       GateSettings settings = {});
  void stand_around(net::Router& router);

 private:
  struct Asker {
    std::string actor;
    std::int64_t tenant_id = 0;
  };
  // Of one request that is let in.
  struct Deed {
    audit::UnderWay about;
    std::shared_ptr<database::Companion> companion;  // nullptr: nothing is to be remembered of it
    std::optional<audit::KeptAnswer> answer;
    std::shared_ptr<void> mark;  // nobody else is at work on its Idempotency-Key
  };
  net::Task<net::HttpResponse> pass(net::HttpRequest request, net::RouteName route, net::Handler handler);
  net::Task<net::HttpResponse> once(net::HttpRequest request, std::shared_ptr<Deed> deed, net::Handler handler);
  static net::Task<net::HttpResponse> work(net::HttpRequest request, std::shared_ptr<Deed> deed, net::Handler handler);
  // Behind a replica the client is whom the replica names; nobody else is believed.
  void believe_client(net::HttpRequest& request, std::string const& pattern) const;
  // An answer that ends it here, or status 0 and the request knows its token.
  net::HttpResponse admit(net::HttpRequest& request, Asker& asker);
  // Ends a deed; `row`: the audit log gets one.
  net::Task<void> remember(std::shared_ptr<Deed> deed, bool row);
  [[nodiscard]] std::int64_t now_ms() const;

  Dependencies const& dependencies_;
  tokens::Tokens const& tokens_;
  GateSettings settings_;
  tokens::Rate rate_, failures_, changes_;
  // Actor and key; shared with requests that outlive the gate.
  std::shared_ptr<std::set<std::pair<std::string, std::string>>> at_work_ =
      std::make_shared<std::set<std::pair<std::string, std::string>>>();
  process::Counter refused_;
};

}  // namespace api
