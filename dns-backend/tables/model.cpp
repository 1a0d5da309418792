#include "dns-backend/tables/model.hpp"

#include "base/process/log.hpp"
#include "dns-backend/schema/schema.hpp"
#include "dns-backend/tables/rows/columns.hpp"

#include <algorithm>

namespace store {
namespace {

using database::text;
using database::Value;

Columns columns_of(std::vector<std::pair<std::string, Value>> const& pairs) {
  return {pairs.begin(), pairs.end()};
}

}  // namespace

base::Result<void> Model::load(database::Database& database) {
  Model fresh;
  fresh.know_slots(slots_);
  *this = std::move(fresh);
  Dirty ignored;
  for (auto const& table : schema().replicated) {
    if (table.table == "rrset") {
      continue;
    }
    auto columns = database.query("SELECT name FROM pragma_table_info(?) ORDER BY cid", {table.table});
    if (!columns) {
      return columns.error();
    }
    auto rows = database.query("SELECT * FROM " + table.table);
    if (!rows) {
      return rows.error();
    }
    for (database::Row& row : *rows) {
      database::Change change;
      change.table = table.table;
      for (std::size_t i = 0; i < row.size(); ++i) {
        std::string const& name = text((*columns)[i][0]);
        if (std::find(table.key.begin(), table.key.end(), name) != table.key.end()) {
          change.key.emplace_back(name, row[i]);
        }
        change.values.emplace_back(name, std::move(row[i]));
      }
      apply(change, ignored);
    }
  }
  finish(ignored);
  return {};
}

void Model::apply(database::Change const& change, Dirty& dirty) {
  if (!take(change.table, columns_of(change.key), columns_of(change.values), dirty)) {
    process::log::error("store", "a row is left out because it makes no sense here table={}", change.table);
  }
}

bool Model::take(std::string const& table, Columns const& key, Columns const& values, Dirty& dirty) {
  using Take = bool (Model::*)(Columns const&, Columns const&, Dirty&);
  static std::map<std::string, Take, std::less<>> const takers{{"zone", &Model::take_zone},
                                                               {"metadata", &Model::take_metadata},
                                                               {"dnskey", &Model::take_key},
                                                               {"tsig", &Model::take_tsig},
                                                               {"pool", &Model::take_pool},
                                                               {"endpoint", &Model::take_endpoint},
                                                               {"tenant", &Model::take_tenant},
                                                               {"challenge", &Model::take_challenge},
                                                               {"former_label", &Model::take_former_label},
                                                               {"domain", &Model::take_domain},
                                                               {"readiness", &Model::take_readiness},
                                                               {"caa_issuer", &Model::take_caa_issuer},
                                                               {"steering", &Model::take_steering},
                                                               {"rrset", &Model::take_rrset},
                                                               {"autoprimary", &Model::take_autoprimary}};
  auto const found = takers.find(table);
  // Tables of other modules are none of ours.
  return found == takers.end() || (this->*found->second)(key, values, dirty);
}

bool Model::take_zone(Columns const& key, Columns const& values, Dirty& dirty) {
  std::int64_t const id = number(key, "id");
  dirty.zones.insert(id);
  auto const present = zones_.find(id);
  if (values.empty()) {
    if (present != zones_.end()) {
      // Names of this zone that tenants or challenges made now belong to a zone above, if any.
      dirty.names.merge(derived_names(present->second.apex));
      zone_ids_.erase(present->second.apex);
      zones_.erase(present);
    }
    return true;
  }
  auto const apex = dns::Name::parse(word(values, "apex"));
  if (!apex) {
    return false;
  }
  if (present == zones_.end()) {
    dirty.names.merge(derived_names(*apex));
  }
  zones_[id] = {id,
                *apex,
                narrow<std::uint32_t>(values, "serial"),
                narrow<std::uint32_t>(values, "notified_serial"),
                word(values, "kind"),
                from_json(word(values, "masters")).value_or(std::vector<std::string>{}),
                word(values, "account"),
                number(values, "last_check_s")};
  zone_ids_[*apex] = id;
  return true;
}

bool Model::take_rrset(Columns const& key, Columns const& /*values*/, Dirty& dirty) {
  auto const owner = dns::Name::parse(word(key, "owner"));
  if (owner) {
    dirty.owners[number(key, "zone_id")].insert(*owner);
  }
  return owner.has_value();
}

bool Model::take_metadata(Columns const& key, Columns const& values, Dirty& dirty) {
  std::int64_t const zone = number(key, "zone_id");
  dirty.zones.insert(zone);
  dirty.secured.insert(zone);
  if (values.empty()) {
    metadata_[zone].erase(word(key, "kind"));
    return true;
  }
  auto const contents = from_json(word(values, "contents"));
  if (contents) {
    metadata_[zone][word(key, "kind")] = *contents;
  }
  return contents.has_value();
}

bool Model::take_key(Columns const& key, Columns const& values, Dirty& dirty) {
  std::int64_t const id = number(key, "id");
  std::int64_t const zone = values.empty() ? zone_of_key_[id] : number(values, "zone_id");
  dirty.zones.insert(zone);
  dirty.secured.insert(zone);
  if (values.empty()) {
    keys_[zone].erase(id);
    zone_of_key_.erase(id);
    return true;
  }
  keys_[zone][id] = {id, narrow<std::uint32_t>(values, "flags"), number(values, "active") != 0,
                     number(values, "published") != 0, word(values, "content")};
  zone_of_key_[id] = zone;
  return true;
}

bool Model::take_tsig(Columns const& key, Columns const& values, Dirty& dirty) {
  dirty.tsig = true;
  if (values.empty()) {
    tsig_.erase(word(key, "name"));
  } else {
    tsig_[word(key, "name")] = {word(key, "name"), word(values, "algorithm"), word(values, "content")};
  }
  return true;
}

bool Model::take_autoprimary(Columns const& key, Columns const& values, Dirty& dirty) {
  dirty.autoprimaries = true;
  std::pair const pair{word(key, "ip"), word(key, "nameserver")};
  if (values.empty()) {
    autoprimaries_.erase(pair);
  } else {
    autoprimaries_[pair] = {pair.first, pair.second, word(values, "account")};
  }
  return true;
}

bool Model::take_pool(Columns const& key, Columns const& values, Dirty& dirty) {
  std::string const name = word(key, "name");
  dirty.pools.insert(name);
  if (values.empty()) {
    pools_.erase(name);
    return true;
  }
  PoolState& state = pools_[name];
  state.position = number(values, "position");
  PoolRow& row = state.row;
  row.name = name;
  row.site = word(values, "site");
  row.minimum_origins = narrow<std::uint32_t>(values, "minimum_origins");
  row.type = word(values, "type");
  row.port = narrow<std::uint16_t>(values, "port");
  row.method = word(values, "method");
  row.path = word(values, "path");
  row.host = word(values, "host");
  row.expected_codes = word(values, "expected_codes");
  row.expected_body = word(values, "expected_body");
  row.interval_ms = narrow<std::uint32_t>(values, "interval_ms");
  row.timeout_ms = narrow<std::uint32_t>(values, "timeout_ms");
  row.consecutive_up = narrow<std::uint32_t>(values, "consecutive_up");
  row.consecutive_down = narrow<std::uint32_t>(values, "consecutive_down");
  return true;
}

bool Model::take_endpoint(Columns const& key, Columns const& values, Dirty& dirty) {
  std::string const pool = word(key, "pool");
  dirty.pools.insert(pool);
  if (values.empty()) {
    endpoints_[pool].erase(word(key, "name"));
    return true;
  }
  PoolRow::EndpointRow row;
  row.name = word(key, "name");
  row.address4 = word(values, "address4");
  row.address6 = word(values, "address6");
  row.probe_address = word(values, "probe_address");
  row.enabled = number(values, "enabled") != 0;
  row.weight = narrow<std::uint32_t>(values, "weight");
  endpoints_[pool][row.name] = {number(values, "position"), row};
  return true;
}

bool Model::take_challenge(Columns const& key, Columns const& values, Dirty& dirty) {
  auto const name = dns::Name::parse(word(key, "name"));
  if (!name) {
    return false;
  }
  dirty.names.insert(*name);
  auto& by_value = challenges_[*name];
  auto& owners = by_value[word(key, "value")];
  if (!values.empty()) {
    owners.insert(word(key, "owner"));
    return true;
  }
  owners.erase(word(key, "owner"));
  if (owners.empty()) {
    by_value.erase(word(key, "value"));
  }
  if (by_value.empty()) {
    challenges_.erase(*name);
  }
  return true;
}

}  // namespace store
