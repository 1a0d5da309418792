#include "dns-backend/self_service/self_service.hpp"

#include "base/process/log.hpp"
#include "dns-backend/api/acme_dns/acme_dns.hpp"
#include "dns-backend/api/audit_log/audit_log.hpp"
#include "dns-backend/api/tenant_pools/tenant_pools.hpp"
#include "dns-backend/audit/audit.hpp"
#include "dns-backend/audit/under_way.hpp"

#include <algorithm>
#include <chrono>

namespace self_service {
namespace {

// With the final dot, as it is written into master files; empty when it is no name.
std::string absolute(std::string const& text) {
  auto const name = text.empty() ? dns::Name() : dns::Name::parse(text);
  return name && !name->is_root() ? name->text() : "";
}

tenants::Policy policy_of(navigator::TenantSettings const& settings) {
  tenants::Policy policy;
  policy.overlap_ms = settings.overlap.count();
  policy.challenge_zone = absolute(settings.challenge_zone);
  policy.claims_per_day = settings.claims_per_day;
  policy.cluster_zone = absolute(settings.cluster_zone);
  policy.global_name = absolute(settings.global_name);
  for (navigator::PlanSettings const& plan : settings.plans) {
    policy.plans.push_back(
        {plan.name, plan.backups, plan.records, plan.domains, plan.tokens, plan.clusters, plan.pools, plan.origins});
  }
  policy.origins_allowed = settings.origins_allowed;
  policy.origins_refused = settings.origins_refused;
  return policy;
}

api::GateSettings gate_of(navigator::TenantSettings const& settings) {
  api::GateSettings gate;
  gate.token = {static_cast<double>(settings.requests_per_second), static_cast<double>(settings.burst)};
  constexpr double day_s = 86400;
  constexpr double at_once = 0.2;
  gate.changes = {settings.changes_per_day / day_s, std::max(1.0, settings.changes_per_day * at_once)};
  return gate;
}

api::SignUpSettings sign_up_of(navigator::SignUpSettings const& settings, std::string const& default_zone) {
  using Mode = navigator::SignUpSettings::Mode;
  using Door = invitations::Terms::Door;
  constexpr double hour_s = 3600;
  api::SignUpSettings out;
  out.terms.door = settings.mode == Mode::open         ? Door::open
                   : settings.mode == Mode::invitation ? Door::invited
                                                       : Door::closed;
  out.terms.zone = absolute(settings.zone.empty() ? default_zone : settings.zone);
  out.terms.plan = settings.plan;
  out.terms.clusters = settings.clusters;
  out.terms.per_day = settings.per_day;
  out.rate = {settings.per_hour / hour_s, static_cast<double>(settings.burst)};
  out.token_life_ms = settings.token_expires.count();
  return out;
}

std::int64_t wall_ms() {
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

SelfService::SelfService(net::asio::any_io_executor executor, api::Dependencies& api,
                         navigator::TenantSettings const& settings, std::function<std::vector<steward::Site>()> sites)
    : executor_(executor),
      api_(api),
      tokens_(api.store),
      tenants_{api, tokens_, policy_of(settings), {}, {}, {}},
      gate_(api, tokens_, api.metrics, gate_of(settings)),
      sign_up_(tenants_, sign_up_of(settings.sign_up, api.default_zone)),
      steward_(executor, api.store, sites, api.metrics),
      tiers_{settings.cluster_zone, settings.global_name},
      clusters_changed_(executor),
      day_(executor) {
  api_.admin_token = [this](std::string const& id) {
    tokens::Token const* const token = tokens_.by_id(id);
    return token != nullptr && token->scope.admin && token->tenant_id == 0;
  };
  tenants_.is_everywhere = [sites](store::Revision revision) {
    auto const all = sites();
    return std::ranges::none_of(
        all, [revision](steward::Site const& site) { return site.in_service && site.acknowledged < revision; });
  };
  if (!settings.resolver.empty()) {
    domain_watch::Settings watch{settings.resolver, settings.resolver_port, settings.challenge_zone};
    watch.challenge_labels = [this] {
      return tenants_.challenge_labels ? tenants_.challenge_labels() : std::vector<std::string>{"_acme-challenge"};
    };
    watch_ = std::make_unique<domain_watch::DomainWatch>(executor, api.store, api.metrics, watch);
    tenants_.verify = [this](std::int64_t id) { return watch_->look(id, wall_ms()); };
  }
}

net::Task<base::Result<void>> SelfService::start(net::Router& router) {
  gate_.stand_around(router);
  api::add_tenant_routes(router, tenants_);
  api::add_audit_routes(router, tenants_);
  api::add_acme_dns_routes(router, tenants_);
  api::add_tenant_pool_routes(router, tenants_);
  sign_up_.add_routes(router);
  if (api_.primary != nullptr) {
    co_return base::Result<void>();
  }
  if (auto const loaded = co_await tokens_.load(); !loaded) {
    co_return loaded.error();
  }
  auto const found = co_await audit::recover(api_.store.thread());
  if (!found) {
    co_return found.error();
  }
  if (*found > 0) {
    process::log::warning("api",
                          "requests were under way when the process before ended; they are in the audit log "
                          "with status 0 requests={}",
                          *found);
  }
  net::spawn(executor_, "steward of the tenants", steward_.run());
  net::spawn(executor_, "audit log and ended tokens", trim());
  if (watch_ != nullptr) {
    net::spawn(executor_, "looks at domains", watch_->run());
  }
  if (!tiers_.cluster_zone.empty() || !tiers_.global.empty()) {
    net::spawn(executor_, "names of the clusters", follow_clusters());
  }
  co_return base::Result<void>();
}

net::Task<void> SelfService::follow_clusters() {
  constexpr std::chrono::milliseconds pause{30000};
  while (!stopped_) {
    if (auto const kept = co_await keep_names(api_.store, tiers_); !kept) {
      process::log::warning("tenants", "names of the clusters were not kept error=\"{}\"", kept.error().what());
    }
    if (!stopped_) {
      co_await clusters_changed_.wait(pause);
    }
  }
}

net::Task<base::Result<void>> SelfService::sweep() {
  store::Body invitations = [now_ms = wall_ms()](store::Write const& write) {
    return invitations::sweep(write, now_ms);
  };
  if (auto const swept = co_await api_.store.write(std::move(invitations)); !swept) {
    co_return swept.error();
  }
  co_return co_await tokens_.sweep(wall_ms());
}

net::Task<void> SelfService::trim() {
  while (!stopped_) {
    if (auto const trimmed = co_await audit::trim(api_.store.thread(), wall_ms()); !trimmed) {
      process::log::warning("api", "the audit log was not trimmed error=\"{}\"", trimmed.error().what());
    }
    if (auto const swept = co_await sweep(); !swept) {
      process::log::warning("api", "ended tokens and invitations were not removed error=\"{}\"", swept.error().what());
    }
    if (!stopped_) {
      co_await day_.wait(std::chrono::hours(24));
    }
  }
}

void SelfService::poke() {
  steward_.poke();
  clusters_changed_.notify();
}

void SelfService::stop() {
  stopped_ = true;
  clusters_changed_.notify();
  day_.notify();
  steward_.stop();
  if (watch_ != nullptr) {
    watch_->stop();
  }
}

}  // namespace self_service
