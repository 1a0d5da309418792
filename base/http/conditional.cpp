#include "base/http/conditional.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace net {
namespace {

constexpr std::size_t body_max = 8U << 20U;

// FNV-1a: nobody gains by two bodies of one digest but who made both.
std::string digest(std::string_view body) {
  constexpr std::uint64_t prime = 1099511628211ULL;
  std::uint64_t value = 14695981039346656037ULL;
  for (char const c : body) {
    value = (value ^ static_cast<unsigned char>(c)) * prime;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%016llx%zx", static_cast<unsigned long long>(value), body.size());
  return text.data();
}

// "17" and its digest; one that a primary put together already is whole.
std::string tag_of(HttpResponse const& response) {
  std::string_view given = response.headers.get("ETag");
  if (given.size() < 2 || !given.ends_with('"') || given.find('-') != std::string_view::npos) {
    return given.empty() ? "\"" + digest(response.body) + "\"" : std::string(given);
  }
  given.remove_suffix(1);
  return std::string(given) + "-" + digest(response.body) + "\"";
}

// Weak comparison (RFC 9110 8.8.3.2) with each tag of the list.
bool names(std::string_view list, std::string_view tag) {
  while (!list.empty()) {
    std::size_t const begin = list.find_first_not_of(" \t,");
    if (begin == std::string_view::npos) {
      return false;
    }
    list.remove_prefix(begin);
    if (list.front() == '*') {
      return true;
    }
    if (list.starts_with("W/")) {
      list.remove_prefix(2);
    }
    std::size_t const end = list.starts_with('"') ? list.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      return false;
    }
    if (list.substr(0, end + 1) == tag) {
      return true;
    }
    list.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

HttpResponse conditional(std::string_view method, std::string_view if_none_match, HttpResponse response) {
  bool const read = (method == "GET" || method == "HEAD") && response.status == 200;
  bool const plain = response.headers.get("Content-Type").starts_with("text/plain");
  // A body that many connections share is its route's own matter: what it is of is not looked at here.
  bool const shared = response.shared_body != nullptr;
  if (!read || plain || shared || response.headers.get("Cache-Control") == "no-store" ||
      response.body.size() > body_max) {
    return response;
  }
  std::string const tag = tag_of(response);
  response.headers.set("ETag", tag);
  if (!names(if_none_match, tag)) {
    return response;
  }
  response.status = 304;
  response.body.clear();
  std::erase_if(response.headers.items, [](auto const& item) {
    return Headers{{{item.first, "1"}}}.get("Content-Type") == "1";
  });
  return response;
}

}  // namespace net
