// Sign-up from outside and its invitations. README.md lists the routes; docs/tenants.md says how they are used.
//
// Threads: client_of() is pure; the rest the control loop.
#pragma once

#include "dns-backend/api/tenants/tenants.hpp"
#include "dns-backend/invitations/sign_up.hpp"
#include "dns-backend/tokens/rate.hpp"

#include <memory>
#include <set>
#include <string>

namespace api {

struct SignUpSettings {
  invitations::Terms terms = {};
  tokens::RateSettings rate{0.1, 10};  // of each client
  std::int64_t token_life_ms = 0;      // of a newcomer's token; 0: it has no end
};

class SignUp {
 public:
  // `own` must outlive it, and it the router.
  SignUp(TenantDependencies const& own, SignUpSettings settings);
  void add_routes(net::Router& router);

 private:
  net::Task<net::HttpResponse> sign_up(net::HttpRequest request);
  net::Task<net::HttpResponse> make(invitations::Wish wish, std::string from);
  net::HttpResponse refused(base::Failure const& failure, invitations::Outcome const& outcome, std::string const& from);
  // Status 0: it may go on.
  net::HttpResponse admit(net::HttpRequest const& request);

  TenantDependencies const& own_;
  SignUpSettings settings_;
  tokens::Rate rate_;
  tokens::Rate noted_;  // rows of the audit log about one cause of a refusal
  // Keys of sign-ups that are not answered yet; shared with requests that outlive this.
  std::shared_ptr<std::set<std::string>> at_work_ = std::make_shared<std::set<std::string>>();
};

// Who shares a rate with `peer` ("address:port", the address perhaps in brackets): its IPv4 address, or the /64 of its
// IPv6 address, since one client has all of that.
std::string client_of(std::string const& peer);

}  // namespace api
