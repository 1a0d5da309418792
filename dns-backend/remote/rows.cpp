#include "dns-backend/remote/rows.hpp"

#include "dns-backend/dns/ttl.hpp"
#include "dns-backend/pool/bindings.hpp"
#include "dns-backend/snapshot/zone_builder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace remote {
namespace {

bool wants(Asked const& asked, dns::RRType type) {
  return asked.type == dns::type_any || asked.type == type;
}

bool authoritative(store::Entry const& entry, dns::RRType type) {
  // A signature is the zone's own wherever it stands (PowerDNS feeds them so).
  return type == dns::type_rrsig || (!entry.below_cut && (!entry.cut || type == dns::type_ds));
}

// PowerDNS makes these itself in a zone that is signed or came signed; one out of the zone file would stand beside its
// own.
bool made_by_powerdns(store::Zone const& zone, dns::RRType type) {
  constexpr dns::RRType type_nsec3{50};
  constexpr dns::RRType type_nsec3param{51};
  return (type == dns::type_nsec || type == type_nsec3 || type == type_nsec3param) &&
         (!zone.keys.empty() || zone.metadata.contains("PRESIGNED"));
}

// A CNAME stands alone, whatever a row from elsewhere says.
bool is_bound(store::Entry const& entry, std::uint16_t type) {
  return entry.balancer && !entry.balancer_has_target && pool::binds(*entry.balancer, type);
}

void add_static(RowList& list, Asked const& asked) {
  store::Entry const& entry = asked.entry;
  for (dns::RRset const& rrset : entry.rrsets) {
    // A balancer owns the address types of its name, what would stand for them, and the types of its bindings.
    bool const balanced = entry.balancer && (rrset.type == dns::type_a || rrset.type == dns::type_aaaa ||
                                             rrset.type == dns::type_cname || is_bound(entry, rrset.type.value));
    if (!wants(asked, rrset.type) || balanced || made_by_powerdns(asked.zone, rrset.type)) {
      continue;
    }
    std::string const type = dns::to_text(rrset.type);
    Row row{asked.qname, type, {}, rrset.ttl, asked.zone.id, authoritative(entry, rrset.type)};
    for (std::string const& content : rrset.contents) {
      row.content = content;
      row.ttl = dns::ttl_of(rrset, content);
      list.add(row);
    }
  }
}

bool is_signed(store::Zone const& zone) {
  return std::any_of(zone.keys.begin(), zone.keys.end(), [](store::Key const& key) { return key.active; });
}

Row row_of(Asked const& asked, std::string_view type_name, dns::RRType type, std::uint32_t ttl, std::uint8_t scope) {
  return {asked.qname, type_name, {}, ttl, asked.zone.id, authoritative(asked.entry, type), scope};
}

void add_chosen(RowList& list, Asked const& asked, dns::RRType type, pool::Selection const& selection,
                std::string pool::Endpoint::*content) {
  std::string const name = dns::to_text(type);
  Row row = row_of(asked, name, type, selection.ttl, selection.scope_bits);
  for (pool::Endpoint const* const endpoint : selection.endpoints) {
    row.content = endpoint->*content;
    list.add(row);
    if (type == dns::type_cname) {
      return;  // a name is another's alias only once
    }
  }
}

// The selections of both families, as the hints of a record show them; nullptr where the name has no such type.
struct Families {
  pool::Selection const* four;
  pool::Selection const* six;
};

void add_bindings(RowList& list, Asked const& asked, dns::RRType type, Families const& chosen) {
  pool::LoadBalancer const& balancer = *asked.entry.balancer;
  std::uint32_t ttl = balancer.ttl;
  std::uint8_t scope = 0;
  for (pool::Selection const* const selection : {chosen.four, chosen.six}) {
    if (selection != nullptr && pool::hints(balancer, type.value)) {
      ttl = std::min(ttl, selection->ttl);
      scope = std::max(scope, selection->scope_bits);
    }
  }
  std::string const name = dns::to_text(type);
  Row row = row_of(asked, name, type, ttl, scope);
  pool::Content content;
  for (pool::Binding const& binding : balancer.bindings) {
    if (binding.type == type.value) {
      pool::fill_content(content, binding, chosen.four, chosen.six);
      row.content = {content.data(), content.size()};
      list.add(row);
    }
  }
}

void add_balanced(RowList& list, Asked const& asked, pool::Asking const& asking) {
  store::Entry const& entry = asked.entry;
  bool const hinted = std::any_of(pool::binding_types.begin(), pool::binding_types.end(), [&](std::uint16_t type) {
    return wants(asked, dns::RRType{type}) && is_bound(entry, type) && pool::hints(*entry.balancer, type);
  });
  // Each type has its own choice: the type must not vanish when the pool that answers another type has nothing of it.
  // Hints are the choice of their type, so that a client is told the same by both.
  auto const choose = [&](bool served, dns::RRType type, pool::Family family, std::string pool::Endpoint::*content) {
    std::optional<pool::Selection> selection;
    if (served && (hinted || wants(asked, type))) {
      selection.emplace(pool::select(*entry.balancer, asking, family));
      if (wants(asked, type)) {
        add_chosen(list, asked, type, *selection, content);
      }
    }
    return selection;
  };
  auto const four = choose(entry.balancer_has4, dns::type_a, pool::Family::ipv4, &pool::Endpoint::address4);
  auto const six = choose(entry.balancer_has6, dns::type_aaaa, pool::Family::ipv6, &pool::Endpoint::address6);
  if (entry.balancer_has_target && wants(asked, dns::type_cname)) {
    add_chosen(list, asked, dns::type_cname, pool::select(*entry.balancer, asking, pool::Family::name),
               &pool::Endpoint::target);
  }
  for (std::uint16_t const number : pool::binding_types) {
    dns::RRType const type{number};
    if (wants(asked, type) && is_bound(entry, number)) {
      add_bindings(list, asked, type, {four ? &*four : nullptr, six ? &*six : nullptr});
    }
  }
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

void add_entry(RowList& list, Asked const& asked, pool::Asking asking) {
  std::size_t const before = list.size();
  add_static(list, asked);
  store::Entry const& entry = asked.entry;
  if (entry.balancer) {
    // An operator who chose "empty" gets it, except in a signed zone, where it would look like a forgery.
    asking.never_empty = is_signed(asked.zone);
    add_balanced(list, asked, asking);
  }
  // A name without data exists all the same: without this row PowerDNS would answer NXDOMAIN. PowerDNS caches rows no
  // longer than their TTL, and takes an authoritative one for the closest encloser that an NSEC3 record proves.
  if (list.size() == before && asked.type == dns::type_any && !entry.only_signatures()) {
    constexpr std::uint32_t ent_ttl_s = 3600;
    std::uint32_t const ttl = entry.balancer ? std::min(entry.balancer->ttl, ent_ttl_s) : ent_ttl_s;
    bool const auth = entry.is_ent() ? store::is_authoritative_ent(asked.zone, entry) : !entry.below_cut;
    list.add(Row{asked.qname, "", "", ttl, asked.zone.id, auth});
  }
}

bool matches(std::string_view pattern, std::string_view text) {
  // Greedy with one point to come back to, so that time stays quadratic at worst.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

void search_records(RowList& list, store::Snapshot const& snapshot, pool::Asking const& asking,
                    std::string_view pattern, std::size_t results_max) {
  constexpr std::size_t hard_limit = 10000;
  std::size_t const limit = std::min(results_max, hard_limit);
  snapshot.zones.for_each_from({}, [&](std::string const&, store::ZonePtr const& zone) {
    zone->entries.for_each_from({}, [&](store::EntryPtr const& entry) {
      // Patterns are written without the final dot as often as with it.
      dns::Name const name = entry->name();
      std::string_view const owner = name.text();
      std::string const echoed = json_text(owner);
      bool const named = matches(pattern, owner) || matches(pattern, owner.substr(0, owner.size() - 1));
      for (dns::RRset const& rrset : entry->rrsets) {
        std::string const type = dns::to_text(rrset.type);
        for (std::string const& content : rrset.contents) {
          if (list.size() < limit && (named || matches(pattern, content))) {
            list.add(
                Row{echoed, type, content, dns::ttl_of(rrset, content), zone->id, authoritative(*entry, rrset.type)});
          }
        }
      }
      if (named && entry->balancer && list.size() < limit) {
        store::Entry balanced = *entry;
        balanced.rrsets.clear();
        add_entry(list, {*zone, balanced, echoed, dns::type_any}, asking);
      }
      return list.size() < limit;
    });
    return list.size() < limit;
  });
}

}  // namespace remote
