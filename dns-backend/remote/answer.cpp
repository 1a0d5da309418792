#include "dns-backend/remote/answer.hpp"

#include "dns-backend/protocol/reply.hpp"
#include "dns-backend/remote/commands.hpp"
#include "dns-backend/remote/neighbours.hpp"
#include "dns-backend/remote/rows.hpp"
#include "dns-backend/remote/secondary.hpp"

#include <algorithm>
#include <optional>

namespace remote {
namespace {

pool::Asking asking(World const& world, geo::Client const& client = {}) {
  return {world.health, world.now_s, client, world.locator, world.costs};
}

store::ZonePtr zone_named(World const& world, MaybeName const& name) {
  return name ? world.snapshot.zone(*name) : nullptr;
}

store::ZonePtr zone_of(Question const& question, World const& world) {
  if (question.zone_id != any_zone) {
    return world.snapshot.zone_by_id(question.zone_id);
  }
  store::ZonePtr zone = world.snapshot.enclosing(question.key);
  // The DS of a child zone lives in its parent (RFC 4035 3.1.4.1).
  if (zone && question.type == dns::type_ds && zone->apex.key() == question.key && !question.key.empty()) {
    store::ZonePtr parent = world.snapshot.enclosing(dns::parent_key(question.key));
    return parent ? parent : zone;
  }
  return zone;
}

void answer_lookup(Lookup const& lookup, World const& world, std::string& out) {
  if (!lookup.name || !lookup.type) {
    RowList(out).finish();
    return;
  }
  std::string const qname = json_text(lookup.qname);
  answer_question({qname, lookup.name->key(), *lookup.type, lookup.zone_id, lookup.client}, world, out);
}

void answer_list(OfZone const& request, World const& world, std::string& out) {
  store::ZonePtr const zone = zone_named(world, request.zone);
  if (!zone) {
    reply_bool(out, false);
    return;
  }
  RowList list(out);
  zone->entries.for_each([&](store::EntryPtr const& entry) {
    std::string const owner = json_text(entry->name().text());
    add_entry(list, {*zone, *entry, owner, dns::type_any}, asking(world));
  });
  list.finish();
}

void append_strings(std::string& out, std::vector<std::string> const& values) {
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    append_string(out, values[i]);
  }
  out += ']';
}

// `zone`: nullptr when there is none of that name, which has no metadata.
void answer_all_metadata(store::ZonePtr const& zone, std::string& out) {
  out += "{\"result\":{";
  if (zone) {
    bool first = true;
    for (auto const& [kind, values] : zone->metadata) {
      if (!first) {
        out += ',';
      }
      first = false;
      append_string(out, kind);
      out += ':';
      append_strings(out, values);
    }
  }
  out += "}}\n";
}

void answer_metadata(Metadata const& request, World const& world, std::string& out) {
  out += "{\"result\":";
  store::ZonePtr const zone = zone_named(world, request.zone);
  auto const found = zone ? zone->metadata.find(request.kind) : decltype(zone->metadata.end()){};
  if (zone && found != zone->metadata.end()) {
    append_strings(out, found->second);
  } else {
    out += "[]";
  }
  out += "}\n";
}

void answer_keys(OfZone const& request, World const& world, std::string& out) {
  out += "{\"result\":[";
  if (store::ZonePtr const zone = zone_named(world, request.zone)) {
    for (std::size_t i = 0; i < zone->keys.size(); ++i) {
      store::Key const& key = zone->keys[i];
      out += i > 0 ? ",{\"id\":" : "{\"id\":";
      append_number(out, key.id);
      out += ",\"flags\":";
      append_number(out, key.flags);
      out += key.active ? ",\"active\":true" : ",\"active\":false";
      out += key.published ? ",\"published\":true" : ",\"published\":false";
      out += ",\"content\":";
      append_string(out, key.content);
      out += '}';
    }
  }
  out += "]}\n";
}

void answer_neighbours(BeforeAndAfter const& request, World const& world, std::string& out) {
  store::ZonePtr const zone = world.snapshot.zone_by_id(request.zone_id);
  std::optional<Neighbours> const found = zone ? neighbours(*zone, request.qname) : std::nullopt;
  if (!found) {
    reply_bool(out, false);
    return;
  }
  out += "{\"result\":{\"unhashed\":";
  append_string(out, found->unhashed);
  out += ",\"before\":";
  append_string(out, found->before);
  out += ",\"after\":";
  append_string(out, found->after);
  out += "}}\n";
}

void append_tsig(std::string& out, store::TsigKey const& key, bool with_name) {
  out += '{';
  if (with_name) {
    out += "\"name\":";
    append_string(out, key.name);
    out += ',';
  }
  out += "\"algorithm\":";
  append_string(out, key.algorithm);
  out += ",\"content\":";
  append_string(out, key.content);
  out += '}';
}

bool same_name(std::string_view stored, std::string_view asked) {
  if (stored.ends_with('.') != asked.ends_with('.')) {
    return stored.ends_with('.') ? stored.substr(0, stored.size() - 1) == asked
                                 : asked.substr(0, asked.size() - 1) == stored;
  }
  return stored == asked;
}

void answer_tsig(Tsig const& request, World const& world, std::string& out) {
  auto const& keys = world.snapshot.tsig_keys;
  auto const found =
      std::find_if(keys.begin(), keys.end(), [&](auto const& key) { return same_name(key.name, request.name); });
  if (found == keys.end()) {
    reply_bool(out, false);
    return;
  }
  out += "{\"result\":";
  append_tsig(out, *found, false);
  out += "}\n";
}

void answer_tsig_list(World const& world, std::string& out) {
  out += "{\"result\":[";
  for (std::size_t i = 0; i < world.snapshot.tsig_keys.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    append_tsig(out, world.snapshot.tsig_keys[i], true);
  }
  out += "]}\n";
}

// PowerDNS's zone cache needs names and ids only, its HTTP API lists serials too. The time of its unix and http
// connectors goes with the square of the reply, so a large installation gets what the cache needs there; the pipe is
// read in time proportional to the reply, and asks for all.
constexpr std::size_t complete_zones_max = 5000;

void answer_domains(AllDomains const& request, World const& world, std::string& out) {
  RowList list(out);
  bool const complete = request.complete || world.snapshot.zones.size() <= complete_zones_max;
  world.snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) { list.add(*zone, complete); });
  list.finish();
}

// Zones whose NOTIFY is due. Only "master" zones send any.
void answer_updated(World const& world, std::string& out) {
  RowList list(out);
  world.snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) {
    if (zone->kind == "master" && zone->serial != zone->notified_serial) {
      list.add(*zone, true);
    }
  });
  list.finish();
}

void answer_info(OfZone const& request, World const& world, std::string& out) {
  if (store::ZonePtr const zone = zone_named(world, request.zone)) {
    reply_domain(out, *zone);
  } else {
    reply_bool(out, false);
  }
}

void answer_rest(Request const& request, World const& world, std::string& out) {
  switch (request.method) {
    case Method::get_all_domain_metadata:
      answer_all_metadata(zone_named(world, std::get<OfZone>(request.body).zone), out);
      break;
    case Method::get_domain_metadata:
      answer_metadata(std::get<Metadata>(request.body), world, out);
      break;
    case Method::get_tsig_key:
      answer_tsig(std::get<Tsig>(request.body), world, out);
      break;
    case Method::get_tsig_keys:
      answer_tsig_list(world, out);
      break;
    case Method::get_updated_masters:
      answer_updated(world, out);
      break;
    case Method::get_unfresh_slave_infos:
      answer_unfresh(world.snapshot, world.now_s, out);
      break;
    case Method::super_master_backend:
      answer_autoprimary(std::get<FromAutoprimary>(request.body), world.snapshot, out);
      break;
    case Method::search_records: {
      auto const& search = std::get<Search>(request.body);
      RowList list(out);
      search_records(list, world.snapshot, asking(world), search.pattern, search.results_max);
      list.finish();
      break;
    }
    case Method::direct_backend_cmd:
      reply_string(out, run_command(std::get<Command>(request.body).text, world.snapshot, world.now_s));
      break;
    default:
      reply_bool(out, false);  // "not implemented" in this protocol
      break;
  }
}

}  // namespace

bool answer_question(Question const& question, World const& world, std::string& out) {
  RowList list(out);
  bool settled = world.overlay == nullptr;
  store::ZonePtr const zone = zone_of(question, world);
  if (zone && question.key.starts_with(zone->apex.key())) {
    store::EntryPtr entry = zone->find(question.key);
    if (world.overlay != nullptr) {
      entry = (*world.overlay)(*zone, dns::Name::from_key(question.key), std::move(entry));
    }
    if (entry) {
      add_entry(list, {*zone, *entry, question.qname, question.type}, asking(world, question.client));
      settled = settled && entry->balancer == nullptr;
    }
  }
  list.finish();
  return settled;
}

std::optional<AtOnce> answer_at_once(std::string_view line, World const& world, std::string& out) {
  if (world.refuse_while_empty && world.snapshot.zones.empty()) {
    return std::nullopt;
  }
  QuestionReader reader;
  if (std::optional<Question> const question = reader.read(line)) {
    bool const settled = answer_question(*question, world, out);
    return AtOnce{Method::lookup, settled};
  }
  if (std::optional<std::string_view> const apex = reader.read_metadata(line)) {
    store::ZonePtr const zone = world.snapshot.enclosing(*apex);
    answer_all_metadata(zone && zone->apex.key() == *apex ? zone : nullptr, out);
    return AtOnce{Method::get_all_domain_metadata, world.overlay == nullptr};
  }
  return std::nullopt;
}

base::Result<void> answer(Request const& request, World const& world, std::string& out) {
  ASSERT(out.empty() && !is_write(request.method));
  // A greeting and a status are true at any time, and so is that nothing is to be transferred: PowerDNS ends when the
  // connection that asks for transfers breaks. Everything else would be a guess.
  bool const about_data = request.method != Method::initialize && request.method != Method::direct_backend_cmd &&
                          request.method != Method::get_updated_masters &&
                          request.method != Method::get_unfresh_slave_infos;
  if (about_data && world.refuse_while_empty && world.snapshot.zones.empty()) {
    return base::fail(errc::unavailable, "this replica has not received any zone from its primary yet");
  }
  switch (request.method) {
    case Method::initialize:
      reply_bool(out, true);
      break;
    case Method::lookup:
    case Method::api_lookup:
      answer_lookup(std::get<Lookup>(request.body), world, out);
      break;
    case Method::list:
      answer_list(std::get<OfZone>(request.body), world, out);
      break;
    case Method::get_all_domains:
      answer_domains(std::get<AllDomains>(request.body), world, out);
      break;
    case Method::get_domain_info:
      answer_info(std::get<OfZone>(request.body), world, out);
      break;
    case Method::get_domain_keys:
      answer_keys(std::get<OfZone>(request.body), world, out);
      break;
    case Method::get_before_and_after:
      answer_neighbours(std::get<BeforeAndAfter>(request.body), world, out);
      break;
    default:
      answer_rest(request, world, out);
      break;
  }
  return {};
}

}  // namespace remote
