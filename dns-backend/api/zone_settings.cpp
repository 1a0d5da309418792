// What of a zone is not content: settings and metadata; and a zone taken over as a whole from elsewhere.
#include "dns-backend/api/access.hpp"
#include "dns-backend/api/body.hpp"
#include "dns-backend/api/routes.hpp"
#include "dns-backend/zone_file/zone_file.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

store::ZonePtr find_zone(Dependencies const& api, net::HttpRequest const& request) {
  base::Result<dns::Name> const name = dns::Name::parse(request.parameters.at("zone"));
  return name ? api.store.published().copy()->zone(*name) : nullptr;
}

net::HttpResponse revision_reply(store::Zone const& zone, store::Revision revision) {
  return reply(200, json::object{{"name", zone.apex.text()}, {"revision", revision}});
}

// Only what the body mentions changes.
Answer put_settings(Dependencies const& api, net::HttpRequest request) {
  store::ZonePtr const zone = find_zone(api, request);
  if (!zone) {
    co_return no_such_zone(request.parameters.at("zone"));
  }
  Body body(request.body);
  store::ZoneSettings settings{zone->kind, zone->masters, zone->account};
  settings.kind = body.text("kind", settings.kind);
  settings.account = body.text("account", settings.account);
  if (body.has("masters")) {
    settings.masters = body.texts("masters", false);
  }
  body.finish();
  if (!body.problems().empty()) {
    co_return refusal(body.problems());
  }
  auto const done = co_await api.store.set_zone_settings(zone->apex, std::move(settings));
  co_return done ? revision_reply(*zone, *done) : refusal(done.error(), about_zone);
}

Answer put_metadata(Dependencies const& api, net::HttpRequest request) {
  store::ZonePtr const zone = find_zone(api, request);
  if (!zone) {
    co_return no_such_zone(request.parameters.at("zone"));
  }
  Body body(request.body);
  std::vector<std::string> const values = body.texts("values", true);
  body.finish();
  if (!body.problems().empty()) {
    co_return refusal(body.problems());
  }
  std::string const kind = request.parameters.at("kind");
  auto const done = co_await api.store.set_metadata(zone->apex, kind, values);
  co_return done ? revision_reply(*zone, *done) : refusal(done.error(), about_zone);
}

// What a restored zone consists of.
struct Restored {
  dns::Name apex;
  store::ZoneSettings settings;
  std::string text;  // master file; empty: a secondary without content yet
  std::map<std::string, std::vector<std::string>> metadata;
  std::vector<store::Key> keys;
};

Restored read_restored(Body& body) {
  Restored zone;
  zone.settings.kind = body.text("kind", "native");
  zone.settings.account = body.text("account", "");
  zone.settings.masters = body.texts("masters", false);
  zone.text = body.text("zone", "");
  for (Body& item : body.objects("metadata")) {
    std::string const kind = item.text("kind");
    zone.metadata[kind] = item.texts("values", true);
    item.finish();
  }
  for (Body& item : body.objects("keys")) {
    store::Key key;
    key.id = item.integer("id", 0, std::numeric_limits<std::int64_t>::max(), 0);
    key.flags = static_cast<std::uint32_t>(item.integer("flags", 0, 65535));
    key.active = item.integer("active", 0, 1) == 1;
    key.published = item.integer("published", 0, 1) == 1;
    key.content = item.text("content");
    item.finish();
    zone.keys.push_back(std::move(key));
  }
  body.finish();
  return zone;
}

net::Task<base::Result<void>> restore_content(Dependencies const& api, Restored zone,
                                              std::vector<dns::OwnedRRset> rrsets) {
  store::ZonePtr const present = api.store.published().copy()->zone(zone.apex);
  if (!present) {
    auto const made = co_await api.store.create_zone(zone.apex, zone.settings, std::move(rrsets));
    co_return made ? base::Result<void>() : made.error();
  }
  bool const same = present->kind == zone.settings.kind && present->masters == zone.settings.masters &&
                    present->account == zone.settings.account;
  if (!same) {
    auto const set = co_await api.store.set_zone_settings(zone.apex, zone.settings);
    if (!set) {
      co_return set.error();
    }
  }
  if (!rrsets.empty()) {
    auto const imported = co_await api.store.import_zone(zone.apex, std::move(rrsets));
    co_return imported ? base::Result<void>() : imported.error();
  }
  co_return base::Result<void>();
}

// Metadata and keys that are not there yet; others of the zone stay.
net::Task<base::Result<void>> restore_extras(Dependencies const& api, Restored zone) {
  store::ZonePtr const present = api.store.published().copy()->zone(zone.apex);
  if (!present) {
    co_return base::fail(store::errc::not_found, "the zone " + zone.apex.text() + " went away meanwhile");
  }
  for (auto const& [kind, values] : zone.metadata) {
    auto const found = present->metadata.find(kind);
    if (found == present->metadata.end() || found->second != values) {
      auto const set = co_await api.store.set_metadata(zone.apex, kind, values);
      if (!set) {
        co_return set.error();
      }
    }
  }
  for (store::Key const& key : zone.keys) {
    auto const same = std::find_if(present->keys.begin(), present->keys.end(), [&key](store::Key const& other) {
      return other.flags == key.flags && other.content == key.content;
    });
    if (same == present->keys.end()) {
      auto const added = co_await api.store.add_key(zone.apex, key);
      if (!added) {
        co_return added.error();
      }
    } else if (same->active != key.active || same->published != key.published) {
      auto const set = co_await api.store.set_key_state(zone.apex, same->id, key.active, key.published);
      if (!set) {
        co_return set.error();
      }
    }
  }
  co_return base::Result<void>();
}

Answer restore_zone(Dependencies const& api, net::HttpRequest request) {
  base::Result<dns::Name> const name = dns::Name::parse(request.parameters.at("zone"));
  if (!name) {
    co_return refusal(name.error(), about_zone);
  }
  Body body(request.body);
  request.body.clear();
  Restored zone = body.broken() ? Restored() : read_restored(body);
  if (!body.problems().empty()) {
    co_return refusal(body.problems());
  }
  zone.apex = *name;
  auto rrsets = co_await parse_content(api, std::move(zone.text), *name);
  if (!rrsets) {
    co_return refusal(rrsets.error());
  }
  zone.text.clear();
  store::ZonePtr const before = api.store.published().copy()->zone(*name);
  auto done = co_await restore_content(api, zone, std::move(*rrsets));
  if (done) {
    done = co_await restore_extras(api, zone);
  }
  if (!done) {
    co_return refusal(done.error(), about_zone);
  }
  store::ZonePtr const after = api.store.published().copy()->zone(*name);
  co_return reply(200, json::object{{"name", name->text()},
                                    {"created", before == nullptr},
                                    {"changed", before != after},
                                    {"serial", after ? after->serial : 0},
                                    {"names", after ? after->entries.size() : 0}});
}

}  // namespace

net::Task<boost::system::result<std::vector<dns::OwnedRRset>, base::Problems>> parse_content(Dependencies const& api,
                                                                                             std::string text,
                                                                                             dns::Name apex) {
  using Parsed = boost::system::result<std::vector<dns::OwnedRRset>, base::Problems>;
  if (text.empty()) {
    co_return std::vector<dns::OwnedRRset>();
  }
  std::function<base::Result<std::shared_ptr<Parsed>>(database::Database&)> const work =
      [text = std::move(text), apex](database::Database&) -> base::Result<std::shared_ptr<Parsed>> {
    return std::make_shared<Parsed>(dns::parse_zone_file(text, "request body", apex));
  };
  auto const parsed = co_await api.store.thread().run<std::shared_ptr<Parsed>>(work);
  if (!parsed) {
    co_return base::Problems{{{"request body", 0, 0}, "", parsed.error().what(), ""}};
  }
  co_return std::move(**parsed);
}

void add_zone_setting_routes(net::Router& router, Dependencies const& dependencies) {
  router.add("PUT", "/v1/zones/{zone}/settings", writes(dependencies, put_settings));
  router.add("PUT", "/v1/zones/{zone}/metadata/{kind}", writes(dependencies, put_metadata));
  router.add("PUT", "/v1/zones/{zone}/restore", writes(dependencies, restore_zone), whole_zone_limits);
}

}  // namespace api
