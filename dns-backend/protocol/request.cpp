#include "dns-backend/protocol/request.hpp"

#include "dns-backend/protocol/question.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <exception>
#include <limits>

namespace remote {
namespace {

namespace json = boost::json;

// Boost's category has no virtual destructor; this one is static and never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  char const* name() const noexcept override { return "remote"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_request:
        return "not a request of the remote backend protocol";
      case errc::too_large:
        return "above a limit of the remote backend";
      case errc::unavailable:
        return "nothing can be answered now";
    }
    return "unknown";
  }
};
#pragma GCC diagnostic pop

constexpr std::array<std::string_view, method_count> names = {
    "initialize",
    "lookup",
    "APILookup",
    "list",
    "getAllDomains",
    "getDomainInfo",
    "getAllDomainMetadata",
    "getDomainMetadata",
    "setDomainMetadata",
    "getDomainKeys",
    "addDomainKey",
    "removeDomainKey",
    "activateDomainKey",
    "deactivateDomainKey",
    "publishDomainKey",
    "unpublishDomainKey",
    "getBeforeAndAfterNamesAbsolute",
    "getTSIGKey",
    "getTSIGKeys",
    "setTSIGKey",
    "deleteTSIGKey",
    "startTransaction",
    "commitTransaction",
    "abortTransaction",
    "feedRecord",
    "feedEnts",
    "feedEnts3",
    "replaceRRSet",
    "setNotified",
    "setFresh",
    "setStale",
    "getUpdatedMasters",
    "getUnfreshSlaveInfos",
    "superMasterBackend",
    "createSlaveDomain",
    "searchRecords",
    "directBackendCmd",
    "other",
};

// An integer written as text, with an all-zero fraction allowed.
std::optional<std::int64_t> integer_from_text(std::string_view text) {
  std::int64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) {
    return std::nullopt;
  }
  std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (!rest.empty()) {
    if (rest.front() != '.') {
      return std::nullopt;
    }
    rest.remove_prefix(1);
    if (!std::all_of(rest.begin(), rest.end(), [](char c) { return c == '0'; })) {
      return std::nullopt;
    }
  }
  return value;
}

std::optional<std::int64_t> integer_from(json::value const& value) {
  switch (value.kind()) {
    case json::kind::int64:
      return value.get_int64();
    case json::kind::uint64:  // only above the range of int64
      return std::nullopt;
    case json::kind::double_: {
      double const number = value.get_double();
      if (std::abs(number) > 9e15 || std::trunc(number) != number) {
        return std::nullopt;
      }
      return static_cast<std::int64_t>(number);
    }
    case json::kind::bool_:
      return value.get_bool() ? 1 : 0;
    case json::kind::string:
      return integer_from_text(value.get_string());
    default:
      return std::nullopt;
  }
}

// Reads the fields of one object and remembers the first thing that is wrong.
class Fields {
 public:
  explicit Fields(json::object const& object) : object_(object) {}

  std::string text(std::string_view key) {
    json::value const* const value = object_.if_contains(key);
    if (value == nullptr || !value->is_string()) {
      complain(key, "must be a string");
      return {};
    }
    return std::string(value->get_string());
  }
  std::string text_or(std::string_view key, std::string_view otherwise) {
    json::value const* const value = object_.if_contains(key);
    return value == nullptr || value->is_null() ? std::string(otherwise) : text(key);
  }
  // What is no text, or is missing, is as good as empty.
  std::string_view plain(std::string_view key) {
    json::value const* const value = object_.if_contains(key);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
  }
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) {
    json::value const* const value = object_.if_contains(key);
    std::optional<std::int64_t> const number = value == nullptr ? std::nullopt : integer_from(*value);
    if (!number || *number < low || *number > high) {
      complain(key, "must be a number in range");
      return low;
    }
    return *number;
  }
  std::int64_t integer_or(std::string_view key, std::int64_t otherwise, std::int64_t low, std::int64_t high) {
    json::value const* const value = object_.if_contains(key);
    return value == nullptr || value->is_null() ? otherwise : integer(key, low, high);
  }
  bool flag_or(std::string_view key, bool otherwise) {
    json::value const* const value = object_.if_contains(key);
    if (value == nullptr || value->is_null()) {
      return otherwise;
    }
    if (value->is_string() && (value->get_string() == "true" || value->get_string() == "false")) {
      return value->get_string() == "true";
    }
    return integer(key, 0, 1) == 1;
  }
  std::uint32_t word_or(std::string_view key, std::uint32_t otherwise) {
    return static_cast<std::uint32_t>(integer_or(key, otherwise, 0, std::numeric_limits<std::uint32_t>::max()));
  }
  // -1 travels as 4294967295 in the versions that declare ids unsigned.
  std::int64_t zone_id_or(std::string_view key, std::int64_t otherwise) {
    std::int64_t const id = integer_or(key, otherwise, -1, std::numeric_limits<std::int64_t>::max());
    return id == std::numeric_limits<std::uint32_t>::max() ? any_zone : id;
  }
  MaybeName name(std::string_view key) {
    base::Result<dns::Name> parsed = dns::Name::parse(text(key));
    return parsed ? MaybeName(std::move(*parsed)) : std::nullopt;
  }
  MaybeType type(std::string_view key) {
    base::Result<dns::RRType> const parsed = dns::parse_type(text(key));
    return parsed ? MaybeType(*parsed) : std::nullopt;
  }
  json::object const* object(std::string_view key) {
    json::value const* const value = object_.if_contains(key);
    if (value == nullptr || !value->is_object()) {
      complain(key, "must be an object");
      return nullptr;
    }
    return &value->get_object();
  }
  json::array const* array(std::string_view key) {
    json::value const* const value = object_.if_contains(key);
    if (value == nullptr || !value->is_array()) {
      complain(key, "must be an array");
      return nullptr;
    }
    return &value->get_array();
  }
  void complain(std::string_view key, std::string_view what) {
    if (problem_.empty()) {
      problem_ = "'" + std::string(key) + "' " + std::string(what);
    }
  }
  [[nodiscard]] std::string const& problem() const { return problem_; }

 private:
  json::object const& object_;
  std::string problem_;
};

Record record_from(Fields& outer, json::object const& object) {
  Fields fields(object);
  Record record;
  record.qname = fields.text("qname");
  record.qtype = fields.text_or("qtype", "");
  record.content = fields.text_or("content", "");
  record.ttl = fields.word_or("ttl", 3600);
  if (!fields.problem().empty()) {
    outer.complain("rr", fields.problem());
  }
  return record;
}

Lookup read_lookup(Fields& fields) {
  Lookup lookup;
  lookup.qname = fields.text("qname");
  base::Result<dns::Name> parsed = dns::Name::parse(lookup.qname);
  if (parsed) {
    lookup.name = std::move(*parsed);
  }
  lookup.type = fields.type("qtype");
  lookup.zone_id = fields.zone_id_or("zone-id", any_zone);
  lookup.client = client_of(fields.plain("real-remote"), fields.plain("remote"));
  return lookup;
}

Metadata read_metadata(Fields& fields, bool with_values) {
  Metadata metadata{fields.name("name"), fields.text("kind"), {}};
  if (!with_values) {
    return metadata;
  }
  if (json::array const* const values = fields.array("value")) {
    for (json::value const& value : *values) {
      if (!value.is_string()) {
        fields.complain("value", "must hold strings");
        break;
      }
      metadata.values.emplace_back(value.get_string());
    }
  }
  return metadata;
}

AddKey read_key(Fields& fields) {
  AddKey key;
  key.zone = fields.name("name");
  if (json::object const* const object = fields.object("key")) {
    Fields inner(*object);
    key.flags = inner.word_or("flags", 0);
    key.active = inner.flag_or("active", true);
    key.published = inner.flag_or("published", true);
    key.content = inner.text("content");
    if (!inner.problem().empty()) {
      fields.complain("key", inner.problem());
    }
  }
  return key;
}

// TSIG key names are compared as lower-case text with a final dot; they need not be host names.
std::string tsig_name(std::string text) {
  base::Result<dns::Name> const parsed = dns::Name::parse(text);
  return parsed ? parsed->text() : text;
}

ReplaceRRset read_replacement(Fields& fields) {
  ReplaceRRset replacement;
  replacement.domain_id = fields.zone_id_or("domain_id", any_zone);
  replacement.owner = fields.name("qname");
  replacement.type = fields.type("qtype");
  if (json::array const* const rows = fields.array("rrset")) {
    for (json::value const& row : *rows) {
      if (!row.is_object()) {
        fields.complain("rrset", "must hold objects");
        break;
      }
      replacement.records.push_back(record_from(fields, row.get_object()));
    }
  }
  return replacement;
}

FromAutoprimary read_autoprimary(Fields& fields) {
  FromAutoprimary asked{fields.text("ip"), fields.name("domain"), {}};
  json::array const* const rows = fields.array("nsset");
  for (std::size_t i = 0; rows != nullptr && i < rows->size(); ++i) {
    if (!(*rows)[i].is_object()) {
      fields.complain("nsset", "must hold objects");
      break;
    }
    Fields row((*rows)[i].get_object());
    asked.nameservers.push_back(row.text("content"));
    if (!row.problem().empty()) {
      fields.complain("nsset", row.problem());
    }
  }
  return asked;
}

void read_secondary(Request& request, Fields& fields) {
  switch (request.method) {
    case Method::set_notified:
      request.body = Notified{fields.zone_id_or("id", any_zone), fields.word_or("serial", 0)};
      break;
    case Method::set_fresh:
    case Method::set_stale:
      request.body = ZoneId{fields.zone_id_or("id", any_zone)};
      break;
    case Method::super_master_backend:
      request.body = read_autoprimary(fields);
      break;
    case Method::create_slave_domain:
      request.body = CreateSecondary{fields.text("ip"), fields.name("domain"), fields.text_or("nameserver", ""),
                                     fields.text_or("account", "")};
      break;
    default:
      break;
  }
}

void read_transaction(Request& request, Fields& fields) {
  switch (request.method) {
    case Method::start_transaction:
      request.body = StartTransaction{fields.name("domain"), fields.zone_id_or("domain_id", any_zone)};
      break;
    case Method::feed_record:
      if (json::object const* const object = fields.object("rr")) {
        request.body = FeedRecord{record_from(fields, *object)};
      }
      break;
    case Method::replace_rrset:
      request.body = read_replacement(fields);
      break;
    default:
      break;
  }
}

void read_body(Request& request, Fields& fields) {
  switch (request.method) {
    case Method::lookup:
    case Method::api_lookup:
      request.body = read_lookup(fields);
      break;
    case Method::get_all_domains:
      request.body = AllDomains{fields.flag_or("complete", false)};
      break;
    case Method::list:
      request.body = OfZone{fields.name("zonename")};
      break;
    case Method::get_domain_info:
    case Method::get_all_domain_metadata:
    case Method::get_domain_keys:
      request.body = OfZone{fields.name("name")};
      break;
    case Method::get_domain_metadata:
    case Method::set_domain_metadata:
      request.body = read_metadata(fields, request.method == Method::set_domain_metadata);
      break;
    case Method::add_domain_key:
      request.body = read_key(fields);
      break;
    case Method::remove_domain_key:
    case Method::activate_domain_key:
    case Method::deactivate_domain_key:
    case Method::publish_domain_key:
    case Method::unpublish_domain_key:
      request.body = KeyOf{fields.name("name"), fields.integer("id", 0, std::numeric_limits<std::int64_t>::max())};
      break;
    case Method::get_before_and_after:
      request.body = BeforeAndAfter{fields.zone_id_or("id", any_zone), fields.text("qname")};
      break;
    case Method::get_tsig_key:
    case Method::delete_tsig_key:
      request.body = Tsig{tsig_name(fields.text("name")), {}, {}};
      break;
    case Method::set_tsig_key:
      request.body = Tsig{tsig_name(fields.text("name")), fields.text("algorithm"), fields.text("content")};
      break;
    case Method::search_records:
      request.body =
          Search{fields.text("pattern"),
                 static_cast<std::size_t>(fields.integer_or("maxResults", 100, 0, std::numeric_limits<int>::max()))};
      break;
    case Method::direct_backend_cmd:
      request.body = Command{fields.text("query")};
      break;
    default:
      read_transaction(request, fields);
      read_secondary(request, fields);
      break;
  }
}

base::Failure bad(std::string detail) {
  return base::fail(errc::bad_request, std::move(detail));
}

base::Result<Request> request_from(json::value const& document) {
  json::object const* const object = document.if_object();
  if (object == nullptr) {
    return bad("the request is no JSON object");
  }
  json::value const* const method = object->if_contains("method");
  if (method == nullptr || !method->is_string()) {
    return bad("the request has no method");
  }
  Request request;
  request.method = parse_method(method->get_string());
  if (request.method == Method::unsupported) {
    request.body = Unknown{std::string(method->get_string())};
    return request;
  }
  json::object const nothing;
  json::value const* const parameters = object->if_contains("parameters");
  // A request without parameters may carry null or [] there.
  bool const given = parameters != nullptr && parameters->is_object();
  Fields fields(given ? parameters->get_object() : nothing);
  read_body(request, fields);
  if (!fields.problem().empty()) {
    return bad(std::string(to_text(request.method)) + ": " + fields.problem());
  }
  return request;
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

std::string_view to_text(Method method) {
  return names[static_cast<std::size_t>(method)];
}

Method parse_method(std::string_view wire_name) {
  auto const known = names.begin() + static_cast<std::ptrdiff_t>(method_count - 1);
  auto const found = std::find(names.begin(), known, wire_name);
  return static_cast<Method>(found - names.begin());
}

bool is_write(Method method) {
  switch (method) {
    case Method::set_domain_metadata:
    case Method::add_domain_key:
    case Method::remove_domain_key:
    case Method::activate_domain_key:
    case Method::deactivate_domain_key:
    case Method::publish_domain_key:
    case Method::unpublish_domain_key:
    case Method::set_tsig_key:
    case Method::delete_tsig_key:
    case Method::start_transaction:
    case Method::commit_transaction:
    case Method::abort_transaction:
    case Method::feed_record:
    case Method::feed_ents:
    case Method::feed_ents3:
    case Method::replace_rrset:
    case Method::set_notified:
    case Method::set_fresh:
    case Method::set_stale:
    case Method::create_slave_domain:
      return true;
    default:
      return false;
  }
}

std::size_t limit_of(std::string_view begin) {
  std::string_view const head = begin.substr(0, 64);  // {"method": "feedRecord", ...
  std::size_t const quote = head.find('"', head.find(':'));
  std::string_view const value = quote == std::string_view::npos ? std::string_view() : head.substr(quote);
  bool const content =
      value.starts_with("\"feedEnts") || value.starts_with("\"feedRecord\"") || value.starts_with("\"replaceRRSet\"");
  return content ? content_limit : request_limit;
}

base::Result<Request> parse_request(std::string_view line) {
  if (std::size_t const limit = limit_of(line); line.size() > limit) {
    return base::fail(errc::too_large, "a request of more than " + std::to_string(limit) + " octets");
  }
  // A usual request fits on the stack; a strange one may take heap memory in proportion to its bounded length.
  std::array<unsigned char, 4096> stack;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the parser
  json::monotonic_resource memory(stack.data(), stack.size());
  json::parse_options options;
  options.max_depth = 8;
  options.allow_invalid_utf8 = true;
  boost::system::error_code error;
  try {
    json::value const document = json::parse(line, error, &memory, options);
    if (error) {
      return bad("the request is no JSON: " + error.message());
    }
    return request_from(document);
  } catch (std::exception const& exception) {
    return bad(std::string("the request cannot be read: ") + exception.what());
  }
}

}  // namespace remote
