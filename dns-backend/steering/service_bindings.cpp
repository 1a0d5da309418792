#include "dns-backend/steering/service_bindings.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>

#include <algorithm>

namespace steering {

namespace {

namespace json = boost::json;

std::string joined(std::vector<std::string> const& words) {
  std::string text;
  for (std::string const& word : words) {
    text += (text.empty() ? "" : ",") + word;
  }
  return text;
}

}  // namespace

BindingWords const& binding_words() {
  static BindingWords const words{{"HTTPS", 65}, {"SVCB", 64}};
  return words;
}

std::vector<std::string> const& mandatory_words() {
  static std::vector<std::string> const words{"alpn", "no-default-alpn", "port", "ech"};
  return words;
}

pool::Binding build_binding(ServiceBinding const& binding) {
  pool::Binding out;
  auto const& words = binding_words();
  auto const type =
      std::find_if(words.begin(), words.end(), [&](auto const& one) { return one.first == binding.type; });
  ASSERT(type != words.end());
  out.type = type->second;
  out.head = std::to_string(binding.priority) + " " + binding.target;
  out.head += binding.mandatory.empty() ? "" : " mandatory=" + joined(binding.mandatory);
  out.head += binding.alpn.empty() ? "" : " alpn=" + joined(binding.alpn);
  out.head += binding.no_default_alpn ? " no-default-alpn" : "";
  out.head += binding.port == 0 ? "" : " port=" + std::to_string(binding.port);
  out.ech = binding.ech.empty() ? "" : " ech=" + binding.ech;
  out.hints = binding.hints;
  return out;
}

json::object to_json(ServiceBinding const& binding) {
  json::object out;
  out["type"] = binding.type;
  out["priority"] = binding.priority;
  out["target"] = binding.target;
  if (binding.priority == 0) {
    return out;
  }
  if (!binding.mandatory.empty()) {
    out["mandatory"] = json::value_from(binding.mandatory);
  }
  if (!binding.alpn.empty()) {
    out["alpn"] = json::value_from(binding.alpn);
  }
  if (binding.no_default_alpn) {
    out["no_default_alpn"] = true;
  }
  if (binding.port != 0) {
    out["port"] = binding.port;
  }
  if (!binding.ech.empty()) {
    out["ech"] = binding.ech;
  }
  out["hints"] = binding.hints;
  return out;
}

}  // namespace steering
