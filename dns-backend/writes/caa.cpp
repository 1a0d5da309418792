#include "dns-backend/writes/caa.hpp"

#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/writes/rules.hpp"

#include <algorithm>

namespace store {
namespace {

// Every zone that tenants live in.
base::Result<void> raise_tenants_serials(Write const& write) {
  std::set<std::string> apexes;
  for (auto const& [id, tenant] : write.model.tenants()) {
    apexes.insert(tenant.zone);
  }
  return raise_serials(write, apexes);
}

}  // namespace

base::Result<void> set_caa_issuer(Write const& write, std::string const& directory_url, std::string const& value) {
  auto const present = write.model.caa_issuers().find(directory_url);
  if (present != write.model.caa_issuers().end() && present->second == value) {
    return {};
  }
  // What is between the quotes stays what it is.
  bool const plain = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  if (!plain || !dns::normalize_content(dns::type_caa, "0 issue \"" + value + "\"")) {
    return refused("'" + value + "' cannot stand in a CAA record");
  }
  auto const done =
      write.run("INSERT OR REPLACE INTO caa_issuer (directory_url, value) VALUES (?, ?)", {directory_url, value});
  return done ? raise_tenants_serials(write) : done;
}

base::Result<void> keep_caa_issuers(Write const& write, std::set<std::string> const& directories) {
  bool changed = false;
  for (auto const& [directory, value] : write.model.caa_issuers()) {
    if (directories.contains(directory)) {
      continue;
    }
    if (auto const done = write.run("DELETE FROM caa_issuer WHERE directory_url = ?", {directory}); !done) {
      return done;
    }
    changed = true;
  }
  return changed ? raise_tenants_serials(write) : base::Result<void>();
}

}  // namespace store
