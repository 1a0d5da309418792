#include "dns-backend/dns/rrset.hpp"

#include <map>

namespace dns {
namespace {

// What may stand beside a CNAME: the records of a signed zone (RFC 4034 2.5, RFC 2181 10.1).
bool may_join_cname(RRType type) {
  constexpr RRType type_key{25};
  return type == type_cname || type == type_rrsig || type == type_nsec || type == type_key;
}

}  // namespace

std::vector<Conflict> check_node(Name const& apex, Name const& owner, std::vector<RRset> const& rrsets) {
  std::vector<Conflict> conflicts;
  auto const add = [&conflicts, &owner](RRType type, std::string message, std::string hint) {
    conflicts.push_back({owner, type, std::move(message), std::move(hint)});
  };
  if (!owner.is_within(apex)) {
    add({}, "'" + owner.text() + "' is outside the zone " + apex.text(), "is $ORIGIN right?");
  }
  bool cname = false;
  bool other = false;
  for (RRset const& rrset : rrsets) {
    cname = cname || rrset.type == type_cname;
    other = other || !may_join_cname(rrset.type);
    bool const single = rrset.type == type_cname || rrset.type == type_dname || rrset.type == type_soa;
    if (single && rrset.contents.size() > 1) {
      add(rrset.type, "'" + owner.text() + "' has more than one " + to_text(rrset.type), "keep one");
    }
    if (rrset.type == type_soa && owner != apex) {
      add(rrset.type, "an SOA at '" + owner.text() + "', which is not the zone's apex " + apex.text(),
          "a zone below is a zone of its own: delegate with NS");
    }
    if (!is_storable(rrset.type)) {
      add(rrset.type, "no zone can hold records of type " + to_text(rrset.type), "");
    }
  }
  if (cname && other) {
    add(type_cname, "'" + owner.text() + "' has a CNAME beside other records",
        owner == apex ? "the apex of a zone cannot be a CNAME; PowerDNS has ALIAS for that"
                      : "a CNAME must be alone at its name");
  }
  return conflicts;
}

std::vector<Conflict> check_zone(Name const& apex, std::vector<OwnedRRset> const& rrsets) {
  std::map<Name, std::vector<RRset>> nodes;
  for (OwnedRRset const& owned : rrsets) {
    nodes[owned.owner].push_back(owned.rrset);
  }
  std::vector<Conflict> conflicts;
  bool soa = false;
  bool ns = false;
  for (auto const& [owner, at] : nodes) {
    for (RRset const& rrset : at) {
      soa = soa || (owner == apex && rrset.type == type_soa && !rrset.contents.empty());
      ns = ns || (owner == apex && rrset.type == type_ns && !rrset.contents.empty());
    }
    auto const found = check_node(apex, owner, at);
    conflicts.insert(conflicts.end(), found.begin(), found.end());
  }
  if (!soa) {
    conflicts.push_back({apex, type_soa, "the zone has no SOA at its apex " + apex.text(), "add one SOA record"});
  }
  if (!ns) {
    conflicts.push_back({apex, type_ns, "the zone has no NS at its apex " + apex.text(), "name its servers"});
  }
  return conflicts;
}

}  // namespace dns
