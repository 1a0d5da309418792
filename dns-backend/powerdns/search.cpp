#include "dns-backend/powerdns/search.hpp"

#include "dns-backend/api/access.hpp"
#include "dns-backend/dns/ttl.hpp"
#include "dns-backend/powerdns/zones/routes.hpp"

#include <boost/json.hpp>

namespace powerdns {
namespace {

namespace json = boost::json;

bool found(Search const& search, std::string_view text) {
  return matches(search.pattern, text) ||
         (text.ends_with('.') && matches(search.pattern, text.substr(0, text.size() - 1)));
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || same_word(pattern.substr(p, 1), text.substr(t, 1)))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

json::array find(store::Snapshot const& snapshot, Search const& search) {
  json::array list;
  snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) {
    if (search.zones && list.size() < search.results_max && found(search, zone->apex.text())) {
      list.push_back(
          json::object{{"name", zone->apex.text()}, {"object_type", "zone"}, {"zone_id", id_of_name(zone->apex)}});
    }
  });
  if (!search.records) {
    return list;
  }
  snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) {
    if (list.size() >= search.results_max) {
      return;
    }
    for (dns::OwnedRRset const& owned : api::content_of(*zone)) {
      bool const by_name = found(search, owned.owner.text());
      for (std::string const& content : owned.rrset.contents) {
        if (list.size() < search.results_max && (by_name || found(search, content))) {
          list.push_back(json::object{{"content", content},
                                      {"disabled", false},
                                      {"name", owned.owner.text()},
                                      {"object_type", "record"},
                                      {"ttl", dns::ttl_of(owned.rrset, content)},
                                      {"type", dns::to_text(owned.rrset.type)},
                                      {"zone", zone->apex.text()},
                                      {"zone_id", id_of_name(zone->apex)}});
        }
      }
    }
  });
  return list;
}

}  // namespace powerdns
