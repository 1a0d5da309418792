#include "acme/distribution/facts.hpp"

#include "dns-backend/tables/model.hpp"

namespace acme {
namespace {

TenantStates look(store::Model const& model, store::Revision revision, std::set<std::int64_t> const& ids) {
  TenantStates out;
  out.revision = revision;
  for (std::int64_t const id : ids) {
    TenantState& one = out.tenants.emplace_back();
    one.facts.tenant_id = id;
    auto const tenant = model.tenants().find(id);
    if (tenant == model.tenants().end()) {
      continue;
    }
    one.exists = true;
    one.facts.pools = tenant->second.backups;
    one.facts.pools.push_back(tenant->second.primary);
    if (auto const* const ready = model.ready(id)) {
      one.ready = *ready;
    }
    std::set<std::int64_t> const alone{id};
    one.facts.wanted = domains::wanted_certificates(model, {}, &alone);
  }
  return out;
}

}  // namespace

net::Task<base::Result<TenantStates>> read_tenants(store::Store& store, vault::Vault& vault,
                                                   std::set<std::int64_t> ids) {
  std::function<base::Result<TenantStates>(store::Model const&, database::Database&)> const read =
      [ids](store::Model const& model, database::Database& database) -> base::Result<TenantStates> {
    return look(model, database.revision(), ids);
  };
  auto states = co_await store.read<TenantStates>(read);
  if (!states) {
    co_return states.error();
  }
  auto standing = co_await vault.standing(std::move(ids));
  if (!standing) {
    co_return standing.error();
  }
  for (TenantState& one : states->tenants) {
    if (auto const found = standing->find(one.facts.tenant_id); found != standing->end()) {
      one.facts.certificates = std::move(found->second.certificates);
      one.acknowledgments = std::move(found->second.acknowledgments);
    }
  }
  co_return std::move(*states);
}

net::Task<base::Result<std::set<std::int64_t>>> all_tenants(store::Store& store, vault::Vault& vault) {
  auto ids = co_await vault.tenants();
  if (!ids) {
    co_return ids.error();
  }
  std::function<base::Result<std::set<std::int64_t>>(store::Model const&, database::Database&)> const read =
      [known = std::move(*ids)](store::Model const& model,
                                database::Database&) -> base::Result<std::set<std::int64_t>> {
    std::set<std::int64_t> all = known;
    for (auto const& [id, tenant] : model.tenants()) {
      all.insert(id);
    }
    return all;
  };
  co_return co_await store.read<std::set<std::int64_t>>(read);
}

net::Task<base::Result<Fleet::Pools>> read_pools(store::Store& store) {
  auto const rows = co_await store.pools();
  if (!rows) {
    co_return rows.error();
  }
  Fleet::Pools pools;
  for (store::PoolRow const& row : *rows) {
    auto& edges = pools[row.name];
    for (store::PoolRow::EndpointRow const& endpoint : row.endpoints) {
      edges.insert(endpoint.name);
    }
  }
  co_return pools;
}

}  // namespace acme
