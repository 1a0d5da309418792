#include "base/http/http.hpp"

#include "base/http/problem.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace net {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  char const small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

}  // namespace

void Headers::set(std::string name, std::string value) {
  std::erase_if(items, [&name](auto const& item) { return same_name(item.first, name); });
  items.emplace_back(std::move(name), std::move(value));
}

std::string_view Headers::get(std::string_view name) const {
  for (auto item = items.rbegin(); item != items.rend(); ++item) {
    if (same_name(item->first, name)) {
      return item->second;
    }
  }
  return {};
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (auto const& [key, value] : items) {
    if (same_name(key, name)) {
      values.emplace_back(value);
    }
  }
  return values;
}

HttpResponse HttpResponse::json(int status, std::string body) {
  HttpResponse out{status, {}, std::move(body)};
  out.headers.set("Content-Type", "application/json");
  return out;
}

HttpResponse HttpResponse::text(int status, std::string body) {
  HttpResponse out{status, {}, std::move(body)};
  out.headers.set("Content-Type", "text/plain; charset=utf-8");
  return out;
}

HttpResponse HttpResponse::problem(int status, std::string title, std::string detail) {
  boost::json::object object;
  object["title"] = std::move(title);
  object["status"] = status;
  if (!detail.empty()) {
    object["detail"] = as_utf8(detail);
  }
  HttpResponse out{status, {}, boost::json::serialize(object)};
  out.headers.set("Content-Type", "application/problem+json");
  return out;
}

bool percent_decode(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int const high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    int const low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return false;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (char const c : text) {
    bool const plain =
        (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      auto const byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte / 16U];
      out += digits[byte % 16U];
    }
  }
  return out;
}

}  // namespace net
