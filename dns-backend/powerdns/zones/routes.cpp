#include "dns-backend/powerdns/zones/routes.hpp"

#include "base/process/log.hpp"
#include "dns-backend/api/access.hpp"

#include <openssl/crypto.h>
#include <boost/json.hpp>

#include <chrono>
#include <stdexcept>

namespace powerdns {
namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

bool may_ask(Dependencies const& dependencies, HttpRequest const& request) {
  if (api::is_administrator(dependencies.api, request)) {
    return true;
  }
  std::string_view const given = request.headers.get("X-API-Key");
  // The time of the comparison tells the length of the key and nothing else.
  return !dependencies.key.empty() && given.size() == dependencies.key.size() &&
         CRYPTO_memcmp(given.data(), dependencies.key.data(), given.size()) == 0;
}

HttpResponse unauthorized() {
  HttpResponse response = HttpResponse::text(401, "Unauthorized");
  response.headers.set("WWW-Authenticate", "X-API-Key realm=\"PowerDNS\"");
  return response;
}

Reply guarded(Dependencies const& dependencies, Route route, HttpRequest request) {
  if (!may_ask(dependencies, request)) {
    co_return unauthorized();
  }
  co_return co_await route(dependencies, std::move(request));
}

Reply written(Dependencies const& dependencies, Route route, HttpRequest request) {
  if (!may_ask(dependencies, request)) {
    co_return unauthorized();
  }
  if (dependencies.api.primary != nullptr) {
    co_return co_await api::forward(dependencies.api, std::move(request));
  }
  co_return co_await route(dependencies, std::move(request));
}

char const* phrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  char const small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

}  // namespace

net::Handler reads(Dependencies const& dependencies, Route route) {
  return [&dependencies, route = std::move(route)](HttpRequest request) {
    return guarded(dependencies, route, std::move(request));
  };
}

net::Handler writes(Dependencies const& dependencies, Route route) {
  return [&dependencies, route = std::move(route)](HttpRequest request) {
    return written(dependencies, route, std::move(request));
  };
}

HttpResponse json_reply(int status, json::value const& body) {
  return HttpResponse::json(status, json::serialize(body));
}

HttpResponse nothing() {
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse refuse(Refusal const& refusal) {
  if (refusal.status != 422) {
    return HttpResponse::text(refusal.status, phrase(refusal.status));
  }
  return json_reply(422, json::object{{"error", refusal.text}});
}

HttpResponse refuse(base::Failure const& failure) {
  if (failure.code == store::errc::not_found) {
    return refuse(Refusal{404, {}});
  }
  if (failure.code == store::errc::exists || failure.code == database::errc::constraint) {
    return refuse(Refusal{409, {}});
  }
  if (failure.code == store::errc::refused ||
      failure.code.category() == make_error_code(dns::errc::bad_name).category()) {
    return refuse(Refusal{422, failure.detail});
  }
  bool const later = failure.code == store::errc::read_only || failure.code == database::errc::full ||
                     failure.code == database::errc::locked || failure.code == database::errc::gone;
  if (!later) {
    process::log::error("powerdns api", "a request failed: {}", failure.what());
  }
  return refuse(Refusal{later ? 503 : 500, failure.detail});
}

Answer<dns::Name> name_of_id(std::string_view id) {
  std::string text;
  for (std::size_t i = 0; i < id.size(); ++i) {
    int const high = id[i] == '=' && i + 2 < id.size() ? hex_digit(id[i + 1]) : -1;
    int const low = high < 0 ? -1 : hex_digit(id[i + 2]);
    if (id[i] == '=' && low < 0) {
      return Refusal{400, {}};
    }
    text += low < 0 ? id[i] : static_cast<char>(high * 16 + low);
    i += low < 0 ? 0 : 2;
  }
  auto const name = dns::Name::parse(text);
  if (!name) {
    return Refusal{422, "Unable to parse DNS Name '" + text + "'"};
  }
  return *name;
}

std::string id_of_name(dns::Name const& name) {
  constexpr char const* digits = "0123456789ABCDEF";
  if (name.is_root()) {
    return "=2E";
  }
  std::string id;
  for (char const c : name.text()) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (plain) {
      id += c;
    } else {
      auto const octet = static_cast<unsigned char>(c);
      id += {'=', digits[octet >> 4U], digits[octet & 15U]};
    }
  }
  return id;
}

Answer<dns::Name> canonical_name(std::string_view text) {
  if (!text.ends_with('.')) {
    return Refusal{422, "DNS Name '" + std::string(text) + "' is not canonical"};
  }
  auto const name = dns::Name::parse(text);
  if (!name) {
    return Refusal{422, "Unable to parse DNS Name '" + std::string(text) + "'"};
  }
  return *name;
}

Answer<store::ZonePtr> zone_of(Dependencies const& dependencies, HttpRequest const& request) {
  auto const name = name_of_id(request.parameters.at("zone"));
  if (!name) {
    return name.error();
  }
  store::ZonePtr zone = dependencies.api.store.published().copy()->zone(*name);
  if (zone == nullptr) {
    return Refusal{404, {}};
  }
  return zone;
}

Answer<json::object> body_of(HttpRequest const& request) {
  boost::system::error_code bad;
  json::value value = json::parse(request.body, bad);
  if (bad) {
    return Refusal{400, {}};
  }
  return value.is_object() ? std::move(value.get_object()) : json::object();
}

Answer<std::string> required_text(json::object const& body, std::string_view key) {
  auto const* const found = body.if_contains(key);
  if (found == nullptr || !found->is_string()) {
    return Refusal{422, "Key '" + std::string(key) + "' not present or not a String"};
  }
  return std::string(found->get_string());
}

Answer<bool> optional_bool(json::object const& body, std::string_view key, bool fallback) {
  auto const* const found = body.if_contains(key);
  if (found == nullptr || found->is_null()) {
    return fallback;
  }
  if (!found->is_bool()) {
    return Refusal{422, "Key '" + std::string(key) + "' not present or not a Bool"};
  }
  return found->get_bool();
}

std::int64_t now_of(Dependencies const& dependencies) {
  if (dependencies.now_s) {
    return dependencies.now_s();
  }
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

void throw_exception_from_error(Refusal const& refusal, boost::source_location const&) {
  throw std::logic_error("a refusal was taken for a value: " + refusal.text);
}

}  // namespace powerdns
