// Pools, tenants, challenges and readiness: their bodies are dns-backend/writes and dns-backend/tenants.
#include "dns-backend/store/state.hpp"

#include "dns-backend/tenants/life_cycle.hpp"
#include "dns-backend/writes/caa.hpp"
#include "dns-backend/writes/challenges.hpp"
#include "dns-backend/writes/pools.hpp"

#include <chrono>

namespace store {

net::Task<base::Result<Revision>> Store::write(Body body) {
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_pools(std::vector<PoolRow> wanted) {
  constexpr std::size_t endpoints_max = 10000;  // slots of what was written are never given back (HealthTable)
  std::vector<std::string> endpoints;
  for (PoolRow const& pool : wanted) {
    for (PoolRow::EndpointRow const& endpoint : pool.endpoints) {
      endpoints.push_back(endpoint.name);
    }
  }
  if (endpoints.size() > endpoints_max) {
    co_return refused("more than " + std::to_string(endpoints_max) + " endpoints");
  }
  if (auto const room = state_->check_room(endpoints, 0); !room) {
    co_return room.error();
  }
  Body body = [wanted = std::move(wanted)](Write const& write) { return store::set_pools(write, wanted); };
  std::set<std::string> names(endpoints.begin(), endpoints.end());
  co_return co_await state_->write_endpoints(std::move(body), std::move(names));
}

net::Task<base::Result<std::vector<PoolRow>>> Store::pools() {
  std::function<base::Result<std::vector<PoolRow>>(database::Database&)> const work =
      [state = state_.get()](database::Database&) -> base::Result<std::vector<PoolRow>> {
    return state->builder.model().pools();
  };
  co_return co_await state_->thread->run<std::vector<PoolRow>>(work);
}

net::Task<base::Result<Tenant>> Store::create_tenant(Tenant tenant) {
  if (tenant.created_at_ms == 0) {
    auto const now = std::chrono::system_clock::now().time_since_epoch();
    tenant.created_at_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  }
  auto const made = std::make_shared<Tenant>(std::move(tenant));
  Body body = [made](Write const& write) { return tenants::create(write, {}, *made); };
  auto const written = co_await state_->write(std::move(body));
  if (!written) {
    co_return written.error();
  }
  co_return *made;
}

net::Task<base::Result<Revision>> Store::delete_tenant(std::string label) {
  Body body = [label](Write const& write) { return tenants::remove(write, label); };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<std::vector<Tenant>>> Store::tenants() {
  std::function<base::Result<std::vector<Tenant>>(database::Database&)> const work =
      [state = state_.get()](database::Database&) -> base::Result<std::vector<Tenant>> {
    std::vector<Tenant> list;
    for (auto const& [id, tenant] : state->builder.model().tenants()) {
      list.push_back(tenant);
    }
    return list;
  };
  co_return co_await state_->thread->run<std::vector<Tenant>>(work);
}

net::Task<base::Result<Revision>> Store::add_challenges(std::vector<std::pair<dns::Name, std::string>> values,
                                                        std::string owner) {
  Body body = [values = std::move(values), owner](Write const& write) {
    return store::add_challenges(write, values, owner);
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::remove_challenges(std::string owner) {
  Body body = [owner](Write const& write) { return store::remove_challenges(write, owner); };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::remove_challenges_below(std::string owner) {
  Body body = [owner](Write const& write) { return store::remove_challenges_below(write, owner); };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::sweep_challenges(std::string infix, std::set<std::string> keep) {
  Body body = [infix, keep = std::move(keep)](Write const& write) {
    return store::sweep_challenges(write, infix, keep);
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_challenges(std::vector<std::pair<dns::Name, std::string>> values,
                                                        std::string owner) {
  Body body = [values = std::move(values), owner](Write const& write) {
    return store::set_challenges(write, values, owner);
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_caa_issuer(std::string directory_url, std::string value) {
  Body body = [directory_url = std::move(directory_url), value = std::move(value)](Write const& write) {
    return store::set_caa_issuer(write, directory_url, value);
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::keep_caa_issuers(std::set<std::string> directories) {
  Body body = [directories = std::move(directories)](Write const& write) {
    return store::keep_caa_issuers(write, directories);
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_ready(std::int64_t tenant_id,
                                                   std::optional<std::vector<std::string>> endpoints) {
  Body body = [tenant_id, endpoints = std::move(endpoints)](Write const& write) {
    return store::set_ready(write, tenant_id, endpoints);
  };
  co_return co_await state_->write(std::move(body));
}

}  // namespace store
