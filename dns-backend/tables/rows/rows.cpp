#include "dns-backend/tables/rows/rows.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <string_view>

namespace store {

namespace json = boost::json;

std::string to_json(std::vector<std::string> const& list) {
  json::array array;
  array.reserve(list.size());
  for (std::string const& one : list) {
    array.emplace_back(one);
  }
  return json::serialize(array);
}

namespace {

// One string without escapes, which nearly every RRset of a large zone is; nullopt: let the parser look.
std::optional<std::vector<std::string>> single_from_json(std::string_view text) {
  bool const framed = text.size() >= 4 && text.starts_with("[\"") && text.ends_with("\"]");
  std::string_view const inner = framed ? text.substr(2, text.size() - 4) : std::string_view();
  bool const plain =
      framed && std::all_of(inner.begin(), inner.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f && c != '"' && c != '\\';
      });
  return plain ? std::optional<std::vector<std::string>>({std::string(inner)}) : std::nullopt;
}

}  // namespace

std::optional<std::vector<std::string>> from_json(std::string const& text) {
  if (auto single = single_from_json(text)) {
    return single;
  }
  boost::system::error_code error;
  json::value const value = json::parse(text, error);
  if (error || !value.is_array()) {
    return std::nullopt;
  }
  std::vector<std::string> list;
  for (json::value const& one : value.get_array()) {
    if (!one.is_string()) {
      return std::nullopt;
    }
    list.emplace_back(one.get_string());
  }
  return list;
}

std::string txt_content(std::string const& value) {
  constexpr std::size_t string_max = 255;
  std::string text;
  for (std::size_t at = 0; at == 0 || at < value.size(); at += string_max) {
    text += at == 0 ? "\"" : " \"";
    for (char const c : value.substr(at, string_max)) {
      auto const octet = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        text.push_back('\\');
        text.push_back(c);
      } else if (octet < 0x20 || octet > 0x7e) {
        text.push_back('\\');
        text.push_back(static_cast<char>('0' + octet / 100));
        text.push_back(static_cast<char>('0' + octet / 10 % 10));
        text.push_back(static_cast<char>('0' + octet % 10));
      } else {
        text.push_back(c);
      }
    }
    text += '"';
  }
  return text;
}

std::optional<dns::Name> tenant_name(std::string const& label, std::string const& zone) {
  auto const apex = dns::Name::parse(zone);
  auto const name = apex ? apex->child(label) : apex;
  return name ? std::optional<dns::Name>(*name) : std::nullopt;
}

std::optional<dns::Name> name_within(dns::Name const& tenant, std::string const& relative) {
  auto const name = relative == "@" ? base::Result<dns::Name>(tenant) : dns::Name::parse(relative, tenant);
  return name && name->is_within(tenant) ? std::optional<dns::Name>(*name) : std::nullopt;
}

}  // namespace store
