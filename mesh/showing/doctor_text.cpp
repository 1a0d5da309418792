#include "mesh/showing/doctor_text.hpp"

#include <fmt/core.h>
#include <boost/json.hpp>

namespace showing {
namespace {

namespace json = boost::json;

json::object parse(std::string_view text) {
  boost::system::error_code error;
  auto value = json::parse(json::string_view(text.data(), text.size()), error);
  return !error && value.is_object() ? value.get_object() : json::object();
}

// Nodes are trusted with the mesh, not with the terminal of who looks at it.
std::string text(json::object const& object, char const* key) {
  auto const* const value = object.if_contains(key);
  std::string out = value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  for (char& c : out) {
    c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return out;
}

bool yes(json::object const& object, char const* key) {
  auto const* const value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

template <class Take>
void each_object(json::object const& object, char const* key, Take const& take) {
  auto const* const value = object.if_contains(key);
  if (value == nullptr || !value->is_array()) {
    return;
  }
  for (auto const& one : value->get_array()) {
    if (one.is_object()) {
      take(one.get_object());
    }
  }
}

std::string counted(std::size_t count, char const* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string state_of(json::object const& node) {
  if (!yes(node, "answered")) {
    return "does not answer";
  }
  std::size_t errors = 0;
  std::size_t warnings = 0;
  each_object(node, "findings",
              [&](json::object const& finding) { (text(finding, "severity") == "error" ? errors : warnings) += 1; });
  if (errors == 0 && warnings == 0) {
    return "nothing found";
  }
  std::string const both = errors != 0 && warnings != 0 ? ", " : "";
  return (errors == 0 ? "" : counted(errors, "error")) + both + (warnings == 0 ? "" : counted(warnings, "warning"));
}

}  // namespace

std::string examinations_text(std::string_view body, bool coloured) {
  auto const report = parse(body);
  std::string table = fmt::format("{:<24} {}\n", "NODE", "STATE");
  std::string details;
  each_object(report, "nodes", [&](json::object const& node) {
    auto const name = text(node, "node");
    table += fmt::format("{:<24} {}\n", name, state_of(node));
    each_object(node, "findings", [&](json::object const& finding) {
      auto const severity = text(finding, "severity");
      std::string const colour = severity == "error" ? "\x1b[31m" : "\x1b[33m";
      details +=
          fmt::format("{}: {}{}{}: {} [{}]\n    fix: {}\n", name, coloured ? colour : "", severity,
                      coloured ? "\x1b[0m" : "", text(finding, "what"), text(finding, "code"), text(finding, "fix"));
    });
  });
  return table + (details.empty() ? "" : "\n") + details;
}

bool all_healthy(std::string_view body) {
  return yes(parse(body), "healthy");
}

}  // namespace showing
