#include "dns-backend/api/body.hpp"
#include "dns-backend/api/routes.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <set>

namespace api {
namespace {

using Answer = net::Task<net::HttpResponse>;

constexpr std::int64_t ttl_max = 2147483647;  // RFC 2181 8

// "@" is the apex; a final dot or the zone's own ending makes a name absolute; all else is relative to the zone.
base::Result<dns::Name> owner_in(dns::Name const& apex, std::string const& text) {
  if (text == "@") {
    return apex;
  }
  base::Result<dns::Name> absolute = dns::Name::parse(text);
  if (!absolute || text.ends_with('.') || absolute->is_within(apex)) {
    return absolute;
  }
  return dns::Name::parse(apex.is_root() ? text : text + "." + apex.text());
}

void read_contents(Body& reader, dns::RRset& rrset) {
  std::vector<std::string> const given = reader.texts("contents", true);
  for (std::size_t i = 0; i < given.size(); ++i) {
    base::Result<std::string> content = dns::normalize_content(rrset.type, given[i]);
    if (content) {
      rrset.contents.push_back(std::move(*content));
    } else {
      reader.fail("contents[" + std::to_string(i) + "]", content.error().what());
    }
  }
  std::sort(rrset.contents.begin(), rrset.contents.end());
  rrset.contents.erase(std::unique(rrset.contents.begin(), rrset.contents.end()), rrset.contents.end());
}

dns::OwnedRRset read_rrset(dns::Name const& apex, Body& reader) {
  dns::OwnedRRset owned;
  std::string const name = reader.text("name");
  std::string const type = reader.text("type");
  owned.rrset.ttl = static_cast<std::uint32_t>(reader.integer("ttl", 0, ttl_max, 3600));
  if (!name.empty()) {
    base::Result<dns::Name> const owner = owner_in(apex, name);
    if (!owner) {
      reader.fail("name", owner.error().what());
    } else if (!owner->is_within(apex)) {
      reader.fail("name", "'" + name + "' lies outside " + apex.text(), "write it without the final dot");
    } else {
      owned.owner = *owner;
    }
  }
  base::Result<dns::RRType> const parsed = dns::parse_type(type);
  if (parsed && *parsed != dns::type_any) {
    owned.rrset.type = *parsed;
    read_contents(reader, owned.rrset);
  } else {
    reader.texts("contents", true);
    if (!type.empty()) {
      reader.fail("type", "'" + type + "' is no type of record");
    }
  }
  reader.finish();
  return owned;
}

std::vector<dns::OwnedRRset> read_list(dns::Name const& apex, Body& body) {
  std::vector<dns::OwnedRRset> list;
  std::set<std::pair<dns::Name, dns::RRType>> seen;
  for (Body& item : body.objects("rrsets")) {
    std::size_t const before = body.problems().size();
    dns::OwnedRRset owned = read_rrset(apex, item);
    if (body.problems().size() == before && !seen.emplace(owned.owner, owned.rrset.type).second) {
      item.fail("name", "a second RRset of that name and type", "put all contents into one");
    }
    list.push_back(std::move(owned));
  }
  body.finish();
  return list;
}

Answer put_rrsets(Dependencies const& api, net::HttpRequest request) {
  base::Result<dns::Name> const apex = dns::Name::parse(request.parameters.at("zone"));
  if (!apex || !api.store.published().copy()->zone(*apex)) {
    co_return no_such_zone(request.parameters.at("zone"));
  }
  // A bare list means the same.
  bool const bare = request.body.starts_with('[');
  Body body(bare ? "{\"rrsets\":" + request.body + "}" : request.body);
  std::vector<dns::OwnedRRset> list;
  if (!body.broken()) {
    list = read_list(*apex, body);
  }
  if (!body.problems().empty()) {
    co_return refusal(body.problems());
  }
  base::Result<store::Revision> const done = co_await api.store.replace_rrsets(*apex, std::move(list));
  if (!done) {
    co_return refusal(done.error(), About{"rrsets", "first take away what is in the way, or write other names"});
  }
  boost::json::object answer;
  answer["zone"] = apex->text();
  answer["revision"] = *done;
  if (store::ZonePtr const zone = api.store.published().copy()->zone(*apex)) {
    answer["serial"] = zone->serial;
  }
  co_return reply(200, answer);
}

}  // namespace

void add_rrset_routes(net::Router& router, Dependencies const& dependencies) {
  router.add("PUT", "/v1/zones/{zone}/rrsets", writes(dependencies, put_rrsets));
}

}  // namespace api
