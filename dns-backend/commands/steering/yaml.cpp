#include "dns-backend/commands/steering/yaml.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace commands {

namespace {

namespace json = boost::json;

bool is_empty(json::value const& value) {
  return value.is_null() || (value.is_string() && value.get_string().empty()) ||
         (value.is_array() && value.get_array().empty()) || (value.is_object() && value.get_object().empty());
}

// Plain where every reader of YAML takes it for text; else quoted as JSON, which YAML includes.
std::string text_of(std::string_view text) {
  static constexpr std::array<std::string_view, 8> taken{"true", "false", "yes", "no", "on", "off", "null", "y"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '/' || c == '_'; };
  bool const plain = !lower.empty() && lower != "n" && letter(lower.front()) &&
                     std::find(taken.begin(), taken.end(), lower) == taken.end() &&
                     std::all_of(lower.begin(), lower.end(), [&letter](char c) {
                       return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
                     });
  return plain ? std::string(text) : json::serialize(json::value(text));
}

std::string scalar_of(json::value const& value) {
  if (value.is_string()) {
    return text_of(value.get_string());
  }
  if (!value.is_double()) {
    return json::serialize(value);
  }
  std::array<char, 64> digits{};
  auto const [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value.get_double());
  return {digits.data(), end};
}

void write(std::string& out, json::value const& value, std::size_t indent);

void write_members(std::string& out, json::object const& object, std::size_t indent, bool first_indented) {
  bool indented = first_indented;
  for (auto const& member : object) {
    if (is_empty(member.value())) {
      continue;
    }
    out += indented ? std::string(indent, ' ') : "";
    indented = true;
    out += text_of(member.key()) + ":";
    if (member.value().is_structured()) {
      out += "\n";
      write(out, member.value(), indent + 2);
    } else {
      out += " " + scalar_of(member.value()) + "\n";
    }
  }
}

void write(std::string& out, json::value const& value, std::size_t indent) {
  if (value.is_object()) {
    write_members(out, value.get_object(), indent, true);
  } else if (value.is_array()) {
    for (json::value const& item : value.get_array()) {
      out += std::string(indent, ' ') + "- ";
      if (item.is_object()) {
        write_members(out, item.get_object(), indent + 2, false);
      } else {
        out += scalar_of(item) + "\n";
      }
    }
  } else {
    out += std::string(indent, ' ') + scalar_of(value) + "\n";
  }
}

}  // namespace

std::string yaml(json::value const& value) {
  std::string out;
  write(out, value, 0);
  return out;
}

}  // namespace commands
