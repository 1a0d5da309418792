#include "dns-backend/commands/import_commands.hpp"

#include "base/process/service.hpp"
#include "dns-backend/commands/connection.hpp"
#include "dns-backend/commands/progress.hpp"
#include "dns-backend/commands/zone_commands.hpp"
#include "dns-backend/migrate/source.hpp"
#include "dns-backend/zone_file/zone_file.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>

namespace commands {
namespace {

namespace json = boost::json;

constexpr std::size_t zone_file_max = 256U << 20U;

std::string folder_of(std::string const& file) {
  std::size_t const slash = file.rfind('/');
  return slash == std::string::npos ? std::string() : file.substr(0, slash + 1);
}

bool flag(json::value const& body, char const* name) {
  auto const* const found = body.is_object() ? body.get_object().if_contains(name) : nullptr;
  return found != nullptr && found->is_bool() && found->get_bool();
}

std::string number(json::value const& body, char const* name) {
  auto const* const found = body.is_object() ? body.get_object().if_contains(name) : nullptr;
  return found == nullptr ? "?" : json::serialize(*found);
}

// "example.org.: created, serial 5, 12 names"
void print_outcome(std::string const& name, net::HttpResponse const& answer) {
  json::value const body = json_of(answer);
  char const* const what = flag(body, "created") ? "created" : flag(body, "changed") ? "changed" : "nothing changed";
  std::printf("%s: %s, serial %s, %s names\n", name.c_str(), what, number(body, "serial").c_str(),
              number(body, "names").c_str());
}

base::Result<store::TsigKey> stored_key(Connection& connection, std::string const& name) {
  auto const answer = connection.call("GET", "/api/v1/servers/localhost/tsigkeys/" + net::percent_encode(name));
  if (!answer) {
    return answer.error();
  }
  json::value const body = json_of(*answer);
  if (answer->status != 200 || !body.is_object()) {
    return base::fail(migrate::errc::bad_source, "there is no TSIG key '" + name + "' in the store");
  }
  auto const text = [&body](char const* member) {
    auto const* const found = body.get_object().if_contains(member);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  return store::TsigKey{name, text("algorithm"), text("key")};
}

base::Result<std::unique_ptr<migrate::Source>> open_source(Connection& connection, ImportRequest const& request) {
  std::optional<store::TsigKey> key;
  if (!request.tsig.empty()) {
    auto stored = stored_key(connection, request.tsig);
    if (!stored) {
      return stored.error();
    }
    key = std::move(*stored);
  }
  auto const progress = std::make_shared<Progress>("transfer");
  return migrate::open_source(request.source, std::move(key),
                              [progress](std::size_t records) { progress->tell(records, 0, "records"); });
}

// One run over a source, counting what became of it.
class Import {
 public:
  Import(Connection& connection, ImportRequest const& request, migrate::Source& source)
      : connection_(connection), request_(request), source_(source) {}

  int run() {
    auto names = source_.zones();
    if (!names) {
      return say(names.error().what(), 1);
    }
    if (!request_.zones.empty()) {
      names = request_.zones;
    } else {
      import_keys();
      import_autoprimaries();
    }
    Progress progress("import");
    for (std::size_t i = 0; i < names->size(); ++i) {
      import_zone((*names)[i]);
      progress.tell(i + 1, names->size(), "zones");
    }
    std::printf("%zu zones: %zu %s, %zu unchanged, %zu not imported\n", names->size(), imported_,
                request_.dry_run ? "to import" : "imported", unchanged_, failed_);
    return failed_ == 0 && !trouble_ ? 0 : 1;
  }

 private:
  void fail(std::string const& zone, std::string const& why) {
    std::fprintf(stderr, "%s: not imported: %s\n", zone.c_str(), why.c_str());
    ++failed_;
  }

  // Whether the zone may go on.
  bool report_refused(migrate::Zone const& zone) {
    bool records_only = zone.apex.has_value();
    for (migrate::Refused const& refused : zone.refused) {
      std::string const content = refused.content.empty() ? "" : " '" + refused.content + "'";
      std::fprintf(stderr, "%s: %s %s%s: %s\n", zone.name.c_str(), refused.name.c_str(), refused.type.c_str(),
                   content.c_str(), refused.reason.c_str());
      records_only = records_only && !refused.content.empty();
    }
    if (zone.disabled > 0) {
      std::fprintf(stderr, "%s: %zu disabled records are left out\n", zone.name.c_str(), zone.disabled);
    }
    if (zone.refused.empty() || (records_only && request_.skip_refused)) {
      return true;
    }
    fail(zone.name, std::to_string(zone.refused.size()) + " things are refused" +
                        (records_only ? "; with --skip-refused the rest is taken" : ""));
    return false;
  }

  void import_zone(std::string const& name) {
    auto const zone = source_.zone(name);
    if (!zone) {
      fail(name, zone.error().what());
      return;
    }
    if (!report_refused(*zone)) {
      return;
    }
    std::size_t const sets = zone->rrsets.size();
    if (request_.dry_run) {
      std::printf("%s: %zu RRsets, %zu kinds of metadata, %zu keys\n", zone->apex->text().c_str(), sets,
                  zone->metadata.size(), zone->keys.size());
      ++imported_;
      return;
    }
    std::string const path = "/v1/zones/" + net::percent_encode(zone->apex->text()) + "/restore";
    auto const answer = connection_.call("PUT", path, json::serialize(migrate::json(*zone)), "import of " + name);
    if (!answer || answer->status != 200) {
      fail(name, answer ? refusal_text(*answer) : answer.error().what());
      return;
    }
    bool const changed = flag(json_of(*answer), "changed");
    (changed ? imported_ : unchanged_) += 1;
    std::printf("%s: %s, %zu RRsets, %zu kinds of metadata, %zu keys\n", zone->apex->text().c_str(),
                changed ? "imported" : "nothing changed", sets, zone->metadata.size(), zone->keys.size());
  }

  void import_keys() {
    auto const keys = source_.tsig_keys();
    if (!keys) {
      say(keys.error().what(), 1);
      trouble_ = true;
      return;
    }
    for (store::TsigKey const& key : *keys) {
      auto const present = stored_key(connection_, key.name);
      bool const same = present && present->content == key.content && present->algorithm == key.algorithm;
      if (present && !same) {
        std::fprintf(stderr, "TSIG key %s: the store has another key of that name, which stays\n", key.name.c_str());
        trouble_ = true;
      }
      if (!present && !request_.dry_run) {
        json::object const body{{"name", key.name}, {"algorithm", key.algorithm}, {"key", key.content}};
        send("POST", "/api/v1/servers/localhost/tsigkeys", json::serialize(body), "TSIG key " + key.name);
      }
    }
  }

  void import_autoprimaries() {
    auto const list = source_.autoprimaries();
    if (!list) {
      say(list.error().what(), 1);
      trouble_ = true;
      return;
    }
    for (store::Autoprimary const& one : *list) {
      json::object const body{{"ip", one.ip}, {"nameserver", one.nameserver}, {"account", one.account}};
      if (!request_.dry_run) {
        send("POST", "/api/v1/servers/localhost/autoprimaries", json::serialize(body), "autoprimary " + one.ip);
      }
    }
  }

  void send(char const* method, std::string const& target, std::string const& body, std::string const& what) {
    auto const answer = connection_.call(method, target, body);
    if (!answer || answer->status / 100 != 2) {
      std::fprintf(stderr, "%s: %s\n", what.c_str(), (answer ? refusal_text(*answer) : answer.error().what()).c_str());
      trouble_ = true;
    }
  }

  Connection& connection_;
  ImportRequest const& request_;
  migrate::Source& source_;
  std::size_t imported_ = 0;
  std::size_t unchanged_ = 0;
  std::size_t failed_ = 0;
  bool trouble_ = false;  // beside the zones
};

}  // namespace

boost::system::result<std::vector<dns::OwnedRRset>, base::Problems> read_zone_file(std::string const& file,
                                                                                   dns::Name const& apex) {
  auto const text = process::read_file(file, zone_file_max);
  if (!text) {
    return base::Problems{{{file, 0, 0}, "", text.error().what(), ""}};
  }
  auto const progress = std::make_shared<Progress>("reading " + file);
  dns::FileOptions options;
  options.include = [](std::string const& name, std::string const& from) -> base::Result<dns::FileOptions::Included> {
    std::string const path = name.starts_with('/') ? name : folder_of(from) + name;
    auto included = process::read_file(path, zone_file_max);
    if (!included) {
      return included.error();
    }
    return dns::FileOptions::Included{path, std::move(*included)};
  };
  options.progress = [progress](std::size_t records) { progress->tell(records, 0, "records"); };
  return dns::parse_zone_file(*text, file, apex, options);
}

int zone_import(Place const& place, std::string const& zone, std::string const& file) {
  auto const path = zone_path(zone);
  if (!path) {
    return 2;
  }
  dns::Name const apex = *dns::Name::parse(zone);
  // Read here: problems name the file, and what it includes and generates is part of what is sent.
  auto const rrsets = read_zone_file(file, apex);
  if (!rrsets) {
    std::fputs(base::text(rrsets.error()).c_str(), stderr);
    return 2;
  }
  auto const connection = Connection::open(place, Without::open_store);
  if (!connection) {
    return say(connection.error().what(), 1);
  }
  auto const answer =
      (*connection)->call("PUT", *path + "/import", dns::to_zone_file(apex, *rrsets), "import of " + zone);
  if (!answer) {
    return say(answer.error().what(), 1);
  }
  if (answer->status != 200) {
    return say_refusal(*answer);
  }
  print_outcome(apex.text(), *answer);
  return 0;
}

int zone_import_from(Place const& place, ImportRequest const& request) {
  auto const connection = Connection::open(place, Without::open_store);
  if (!connection) {
    return say(connection.error().what(), 1);
  }
  auto const source = open_source(**connection, request);
  if (!source) {
    return say(source.error().what(), source.error().code == migrate::errc::bad_source ? 2 : 1);
  }
  return Import(**connection, request, **source).run();
}

}  // namespace commands
