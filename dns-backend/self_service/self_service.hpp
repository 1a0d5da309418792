// Everything by which tenants look after themselves, as one part of the daemon: tokens, the gate around every route,
// the routes, and on the primary the steward of the journal and the looks at domains.
//
// Threads: the control loop. What it refers to must outlive it; it must outlive the router's last dispatch.
#pragma once

#include "dns-backend/api/gate/gate.hpp"
#include "dns-backend/api/sign_up/sign_up.hpp"
#include "dns-backend/api/tenants/tenants.hpp"
#include "dns-backend/domain_watch/domain_watch.hpp"
#include "dns-backend/self_service/names.hpp"
#include "dns-backend/settings/settings.hpp"
#include "dns-backend/steward/steward.hpp"

#include <memory>

namespace self_service {

class SelfService {
 public:
  // `api` gets to know administrators' tokens. `sites`: which revision each has.
  SelfService(net::asio::any_io_executor executor, api::Dependencies& api, navigator::TenantSettings const& settings,
              std::function<std::vector<steward::Site>()> sites);

  // Reads the tokens, stands around the router and adds the routes; on the primary it goes to work.
  net::Task<base::Result<void>> start(net::Router& router);
  // Whoever keeps certificates takes those that tenants bring.
  void bring_to(api::TakeCertificate take, api::DropCertificate drop) {
    tenants_.take_certificate = std::move(take);
    tenants_.drop_certificate = std::move(drop);
  }
  // Whoever has certificates made says what domains must delegate for that; without: _acme-challenge.
  void challenges_at(std::function<std::vector<std::string>()> labels) {
    tenants_.challenge_labels = std::move(labels);
  }
  // And shows a tenant's, by its id.
  void certificates_from(std::function<boost::json::array(std::int64_t tenant_id)> list) {
    tenants_.certificates = std::move(list);
  }
  // Looks at tenants' domains; nullptr without a resolver.
  [[nodiscard]] domain_watch::DomainWatch* watch() const { return watch_.get(); }
  // Something was published or acknowledged.
  void poke();
  void stop();

 private:
  net::Task<void> follow_clusters();
  net::Task<void> trim();
  net::Task<base::Result<void>> sweep();

  net::asio::any_io_executor executor_;
  api::Dependencies& api_;
  tokens::Tokens tokens_;
  std::unique_ptr<domain_watch::DomainWatch> watch_;  // with a resolver
  api::TenantDependencies tenants_;
  api::Gate gate_;
  api::SignUp sign_up_;
  steward::Steward steward_;
  NameTiers tiers_;
  net::Signal clusters_changed_, day_;
  bool stopped_ = false;
};

}  // namespace self_service
