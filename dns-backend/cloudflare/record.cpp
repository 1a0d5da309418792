#include "dns-backend/cloudflare/record.hpp"

#include "base/result/category.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>

namespace cloudflare {
namespace {

namespace json = boost::json;

char const* sentence(int code) {
  switch (static_cast<errc>(code)) {
    case errc::unauthorized:
      return "not allowed by Cloudflare";
    case errc::rate_limited:
      return "too many requests for Cloudflare";
    case errc::rejected:
      return "rejected by Cloudflare";
    case errc::unavailable:
      return "Cloudflare has a failure";
    case errc::bad_message:
      return "not an answer of Cloudflare's API";
  }
  return "unknown";
}

constexpr std::array exported{dns::type_a,   dns::type_aaaa, dns::type_cname, dns::type_mx, dns::type_ns,
                              dns::type_ptr, dns::type_srv,  dns::type_txt,   dns::type_caa};

std::string text_of(json::object const& object, std::string_view key) {
  json::value const* const found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::int64_t number_of(json::object const& object, std::string_view key, std::int64_t otherwise) {
  json::value const* const found = object.if_contains(key);
  return found != nullptr && found->is_int64() ? found->get_int64() : otherwise;
}

json::object const* object_of(json::object const& object, std::string_view key) {
  json::value const* const found = object.if_contains(key);
  return found == nullptr ? nullptr : found->if_object();
}

// "401 Authentication error; 9005 Content for A record is invalid"
std::string errors_of(json::object const& envelope) {
  std::string out;
  json::value const* const errors = envelope.if_contains("errors");
  if (errors == nullptr || !errors->is_array()) {
    return "without a reason";
  }
  for (json::value const& error : errors->get_array()) {
    if (error.is_object()) {
      out += (out.empty() ? "" : "; ") + std::to_string(number_of(error.get_object(), "code", 0)) + " " +
             text_of(error.get_object(), "message");
    }
  }
  return out.empty() ? "without a reason" : out;
}

bool has_code(json::object const& envelope, std::int64_t code) {
  json::value const* const errors = envelope.if_contains("errors");
  if (errors == nullptr || !errors->is_array()) {
    return false;
  }
  auto const& list = errors->get_array();
  return std::any_of(list.begin(), list.end(), [code](json::value const& error) {
    return error.is_object() && number_of(error.get_object(), "code", 0) == code;
  });
}

base::Result<json::object> parse_envelope(int status, std::string_view body) {
  boost::system::error_code failed;
  json::value value = json::parse(body, failed);
  bool const is_envelope = !failed && value.is_object() && value.get_object().contains("success");
  constexpr int unauthorized = 401;
  constexpr int forbidden = 403;
  constexpr int too_many = 429;
  constexpr int server_failure = 500;
  std::string const why =
      "status " + std::to_string(status) + (is_envelope ? ": " + errors_of(value.get_object()) : "");
  if (status == too_many) {
    return base::fail(errc::rate_limited, why);
  }
  if (status >= server_failure) {
    return base::fail(errc::unavailable, why);
  }
  constexpr std::int64_t authentication = 10000;
  if (status == unauthorized || status == forbidden || (is_envelope && has_code(value.get_object(), authentication))) {
    return base::fail(errc::unauthorized, why);
  }
  if (!is_envelope) {
    return base::fail(errc::bad_message, why + ": no envelope");
  }
  json::value const& success = value.get_object().at("success");
  if (!success.is_bool() || !success.get_bool()) {
    return base::fail(errc::rejected, why);
  }
  return std::move(value.get_object());
}

// "mail.example" and "mail.example." are the same name there, and "." (a null MX, RFC 7505) stays what it is.
std::string with_dot(std::string name) { return name.ends_with('.') ? name : name + "."; }

// The API's shape of a type as one presentation form.
std::string presentation(dns::RRType type, json::object const& object) {
  std::string const content = text_of(object, "content");
  json::object const* const data = object_of(object, "data");
  auto const number = [](json::object const& from, std::string_view key) {
    return std::to_string(number_of(from, key, 0));
  };
  if (type == dns::type_mx) {
    return number(object, "priority") + " " + with_dot(content);
  }
  if (type == dns::type_cname || type == dns::type_ns || type == dns::type_ptr) {
    return with_dot(content);
  }
  if (type == dns::type_srv && data != nullptr) {
    return number(*data, "priority") + " " + number(*data, "weight") + " " + number(*data, "port") + " " +
           with_dot(text_of(*data, "target"));
  }
  if (type == dns::type_caa && data != nullptr) {
    return number(*data, "flags") + " " + text_of(*data, "tag") + " \"" + text_of(*data, "value") + "\"";
  }
  if (type == dns::type_txt && !content.starts_with('"')) {
    std::string escaped = "\"";
    for (char const letter : content) {
      escaped += letter == '"' || letter == '\\' ? std::string("\\") + letter : std::string(1, letter);
    }
    return escaped + "\"";
  }
  return content;
}

// Ids go back to Cloudflare as they are; a plain word needs no escaping there.
bool is_id(std::string_view text) {
  constexpr std::size_t longest = 64;
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; });
}

std::optional<Record> parse_record(json::value const& value) {
  if (!value.is_object()) {
    return std::nullopt;
  }
  json::object const& object = value.get_object();
  Record record;
  record.id = text_of(object, "id");
  auto const name = dns::Name::parse(text_of(object, "name"));
  if (!is_id(record.id) || !name) {
    return std::nullopt;
  }
  record.name = *name;
  record.ttl = static_cast<std::uint32_t>(std::clamp<std::int64_t>(number_of(object, "ttl", 1), 0, 1 << 30));
  json::value const* const proxied = object.if_contains("proxied");
  record.proxied = proxied != nullptr && proxied->is_bool() && proxied->get_bool();
  record.comment = text_of(object, "comment");
  record.content = text_of(object, "content");
  auto const type = dns::parse_type(text_of(object, "type"));
  if (!type || !is_exported(*type)) {
    return record;
  }
  record.type = *type;
  // What does not parse keeps its raw form: it is equal to nothing wanted, and so replaced if it is ours.
  std::string const shown = presentation(*type, object);
  auto const normal = dns::normalize_content(*type, shown);
  record.content = normal ? *normal : shown;
  return record;
}

// The words of a presentation form that has no quoted strings before its last word.
std::vector<std::string> words_of(std::string const& content, std::size_t count) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (words.size() + 1 < count) {
    std::size_t const space = content.find(' ', at);
    if (space == std::string::npos) {
      break;
    }
    words.push_back(content.substr(at, space - at));
    at = space + 1;
  }
  words.push_back(content.substr(at));
  words.resize(count);
  return words;
}

std::string without_dot(std::string text) {
  if (text.size() > 1 && text.ends_with('.')) {
    text.pop_back();
  }
  return text;
}

std::int64_t to_number(std::string const& digits) {
  return static_cast<std::int64_t>(std::strtoll(digits.c_str(), nullptr, 10));
}

// All strings of a TXT content joined; escapes are left as they are, which is one form since both sides are normalised.
std::string joined_strings(std::string const& content) {
  std::string out;
  bool inside = false;
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] == '"') {
      inside = !inside;
      continue;
    }
    if (!inside) {
      continue;
    }
    out += content[i];
    if (content[i] == '\\' && i + 1 < content.size()) {
      out += content[++i];
    }
  }
  return out;
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("cloudflare", sentence);
  return {static_cast<int>(code), category};
}

bool is_exported(dns::RRType type) {
  return std::find(exported.begin(), exported.end(), type) != exported.end();
}

std::string comparable(Record const& record) {
  return record.type == dns::type_txt ? joined_strings(record.content) : record.content;
}

base::Result<Page> parse_page(int status, std::string_view body) {
  auto envelope = parse_envelope(status, body);
  if (!envelope) {
    return envelope.error();
  }
  json::value const* const result = envelope->if_contains("result");
  if (result == nullptr || !result->is_array()) {
    return base::fail(errc::bad_message, "the list of records is no list");
  }
  Page page;
  for (json::value const& value : result->get_array()) {
    auto record = parse_record(value);
    if (!record) {
      return base::fail(errc::bad_message, "a record without id or name");
    }
    page.records.push_back(std::move(*record));
  }
  if (json::object const* const info = object_of(*envelope, "result_info")) {
    page.total_pages = number_of(*info, "total_pages", 1);
  }
  return page;
}

base::Result<void> parse_done(int status, std::string_view body) {
  auto const envelope = parse_envelope(status, body);
  if (!envelope) {
    return envelope.error();
  }
  return {};
}

std::string to_json(Record const& record) {
  json::object out{{"name", without_dot(record.name.text())},
                   {"type", dns::to_text(record.type)},
                   {"ttl", record.ttl},
                   {"comment", record.comment}};
  if (!record.id.empty()) {
    out["id"] = record.id;
  }
  if (record.type == dns::type_mx) {
    auto const words = words_of(record.content, 2);
    out["priority"] = to_number(words[0]);
    out["content"] = without_dot(words[1]);
  } else if (record.type == dns::type_srv) {
    auto const words = words_of(record.content, 4);
    out["data"] = json::object{{"priority", to_number(words[0])},
                               {"weight", to_number(words[1])},
                               {"port", to_number(words[2])},
                               {"target", without_dot(words[3])}};
  } else if (record.type == dns::type_caa) {
    auto const words = words_of(record.content, 3);
    out["data"] = json::object{{"flags", to_number(words[0])}, {"tag", words[1]}, {"value", joined_strings(words[2])}};
  } else if (record.type == dns::type_cname || record.type == dns::type_ns || record.type == dns::type_ptr) {
    out["content"] = without_dot(record.content);
  } else {
    out["content"] = record.content;
  }
  return json::serialize(out);
}

}  // namespace cloudflare
