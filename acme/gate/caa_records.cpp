#include "acme/gate/caa_records.hpp"

#include "base/process/log.hpp"

#include <algorithm>
#include <cctype>
#include <functional>

namespace acme {
namespace {

constexpr char const* component = "acme";

// RFC 8659 section 4.2: a value is of visible ASCII without ';', and without what would end the quoted string.
bool is_caa_parameter(std::string const& text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~' && c != ';' && c != '"' && c != '\\'; });
}

bool is_host_name(std::string const& text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-' || c == '.';
  });
}

}  // namespace

std::optional<std::string> caa_value(CaaIssuer const& issuer) {
  if (issuer.identities.empty() || !is_host_name(issuer.identities.front()) || !is_caa_parameter(issuer.account_url) ||
      !is_caa_parameter(issuer.method)) {
    return std::nullopt;
  }
  return issuer.identities.front() + "; accounturi=" + issuer.account_url + "; validationmethods=" + issuer.method;
}

std::vector<std::string> caa_contents(store::Snapshot const& snapshot, std::string const& name) {
  auto const parsed = dns::Name::parse(name);
  auto const zone = parsed ? snapshot.enclosing(*parsed) : nullptr;
  auto const entry = zone == nullptr ? nullptr : zone->find(*parsed);
  std::vector<std::string> contents;
  if (entry != nullptr && !entry->below_cut) {
    for (dns::RRset const& rrset : entry->rrsets) {
      if (rrset.type == dns::type_caa) {
        contents.insert(contents.end(), rrset.contents.begin(), rrset.contents.end());
      }
    }
  }
  return contents;
}

std::string first_elsewhere(store::Snapshot const& snapshot, std::string const& name) {
  for (std::string at = name.starts_with("*.") ? name.substr(2) : name; !at.empty();) {
    auto const parsed = dns::Name::parse(at);
    if (!parsed || snapshot.enclosing(*parsed) == nullptr) {
      return at;
    }
    if (!caa_contents(snapshot, at).empty()) {
      return {};
    }
    auto const dot = at.find('.');
    at = dot == std::string::npos ? std::string() : at.substr(dot + 1);
  }
  return {};
}

net::Task<base::Result<void>> CaaRecords::admit(CaaIssuer issuer) {
  auto const value = caa_value(issuer);
  std::string const known = value.value_or("");
  if (auto const admitted = admitted_.find(issuer.directory_url);
      admitted != admitted_.end() && admitted->second == known) {
    co_return base::Result<void>();
  }
  if (!value) {
    process::log::warning(component,
                          "this CA cannot be named in CAA records, and may refuse names that have some directory={}",
                          issuer.directory_url);
    admitted_[issuer.directory_url] = known;
    co_return base::Result<void>();
  }
  // Whether sites answer records by now that do not have this value.
  std::function<base::Result<bool>(store::Model const&, database::Database&)> const look =
      [directory = issuer.directory_url, value = *value](store::Model const& model,
                                                         database::Database&) -> base::Result<bool> {
    auto const row = model.caa_issuers().find(directory);
    return !model.caa_issuers().empty() && (row == model.caa_issuers().end() || row->second != value);
  };
  auto const without = co_await store_.read<bool>(look);
  if (!without) {
    co_return without.error();
  }
  if (*without) {
    fresh_.insert(issuer.directory_url);
  }
  auto const revision = co_await store_.set_caa_issuer(issuer.directory_url, *value);
  if (!revision) {
    co_return revision.error();
  }
  std::vector<Expected> nothing;
  auto passed = co_await dns01_.gate(*revision, std::move(nothing));
  if (!passed) {
    co_return passed;
  }
  if (fresh_.contains(issuer.directory_url)) {
    // The CA may have looked a moment ago, for an order that another account of it has.
    co_await net::wait_for(dns01_.settings().caa_pause);
    fresh_.erase(issuer.directory_url);
  }
  admitted_[issuer.directory_url] = *value;
  process::log::info(component, "every site names this CA in CAA records directory={} value=\"{}\"",
                     issuer.directory_url, *value);
  co_return passed;
}

net::Task<base::Result<void>> CaaRecords::keep(std::set<std::string> directories) {
  std::erase_if(admitted_, [&directories](auto const& item) { return !directories.contains(item.first); });
  auto const revision = co_await store_.keep_caa_issuers(std::move(directories));
  if (!revision) {
    co_return revision.error();
  }
  co_return base::Result<void>();
}

std::vector<Expected> CaaRecords::expected(std::string const& name, CaaIssuer const& issuer) const {
  std::vector<Expected> list;
  auto const value = caa_value(issuer);
  if (!value) {
    return list;
  }
  for (std::string& content : caa_contents(*store_.published().copy(), name)) {
    if (content.ends_with("\"" + *value + "\"")) {
      list.push_back({name, "CAA", std::move(content)});
    }
  }
  return list;
}

}  // namespace acme
