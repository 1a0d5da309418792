#include "dns-backend/steering/reading/service_bindings.hpp"

#include "dns-backend/steering/address.hpp"
#include "dns-backend/steering/service_bindings.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace steering {

namespace {

using config::quoted;
using config::Reader;

constexpr std::size_t alpn_octets_max = 255;

// Nothing that would need an escape within a list within a record: no identifier that IANA knows has it.
bool is_alpn(std::string_view text) {
  return !text.empty() && text.size() <= alpn_octets_max && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._/+").find(c) != std::string_view::npos;
  });
}

// Base64 (RFC 4648 4) with its padding, written the one way that encoders write it.
std::optional<std::string> decoded(std::string_view text) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.empty() || text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::size_t const padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string octets;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (char const c : text) {
    std::size_t const digit = digits.find(c);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    bits = (bits << 6U | static_cast<std::uint32_t>(digit)) & 0xffffU;
    count += 6;
    if (count >= 8) {
      count -= 8;
      octets.push_back(static_cast<char>(bits >> count & 0xffU));
    }
  }
  return (bits & ((1U << count) - 1U)) == 0 ? std::optional(octets) : std::nullopt;
}

// Why it is no ECHConfigList; empty when it is one as far as its length tells, which finds what was cut when pasted.
std::string ech_problem(std::string const& text) {
  auto const octets = decoded(text);
  if (!octets) {
    return "is no base64";
  }
  auto const at = [&octets](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>((*octets)[i]));
  };
  if (octets->size() < 3 || (at(0) << 8U | at(1)) != octets->size() - 2) {
    return "is no ECHConfigList: its first two octets are not the length of the rest";
  }
  return octets->size() > ech_octets_max ? "is longer than " + std::to_string(ech_octets_max) + " octets" : "";
}

void refuse_in_alias(Reader& reader) {
  for (char const* const key : {"mandatory", "alpn", "no_default_alpn", "port", "ech"}) {
    if (reader.has(key)) {
      reader.fail(key, "means nothing to an alias", "a priority from 1 on makes it a service with parameters");
    }
  }
  if (reader.boolean("hints", false)) {
    reader.fail("hints", "mean nothing to an alias", "its target has addresses of its own");
  }
}

void read_alpn(Reader& reader, ServiceBinding& binding) {
  binding.alpn = reader.texts("alpn");
  for (std::size_t i = 0; i < binding.alpn.size(); ++i) {
    std::string const& one = binding.alpn[i];
    auto const here = binding.alpn.begin() + static_cast<std::ptrdiff_t>(i);
    if (!one.empty() && !is_alpn(one)) {
      reader.fail_item("alpn", i, quoted(one) + " is no protocol", "for instance h2, h3 or http/1.1");
    } else if (std::find(binding.alpn.begin(), here, one) != here) {
      reader.fail_item("alpn", i, quoted(one) + " is named twice");
    }
  }
  if (binding.alpn.size() > alpn_max) {
    reader.fail("alpn", "names more than " + std::to_string(alpn_max) + " protocols");
  }
  binding.no_default_alpn = reader.boolean("no_default_alpn", false);
  if (binding.no_default_alpn && binding.alpn.empty()) {
    reader.fail("no_default_alpn", "leaves no protocol at all without 'alpn'", "name those that are spoken in 'alpn'");
  }
}

bool is_set(ServiceBinding const& binding, std::string const& word) {
  return word == "alpn"              ? !binding.alpn.empty()
         : word == "no-default-alpn" ? binding.no_default_alpn
         : word == "port"            ? binding.port != 0
                                     : !binding.ech.empty();
}

// Kept in the order of the keys' numbers, as records have them.
void read_mandatory(Reader& reader, ServiceBinding& binding) {
  std::vector<std::string> const named = reader.texts("mandatory");
  auto const& words = mandatory_words();
  for (std::size_t i = 0; i < named.size(); ++i) {
    auto const here = named.begin() + static_cast<std::ptrdiff_t>(i);
    if (named[i].empty()) {
      continue;
    }
    if (std::find(words.begin(), words.end(), named[i]) == words.end()) {
      bool const hint = named[i] == "ipv4hint" || named[i] == "ipv6hint";
      reader.fail_item(
          "mandatory", i, quoted(named[i]) + (hint ? " cannot be mandatory" : " is no parameter"),
          hint ? "an answer without such an address has no such hint" : "alpn, no-default-alpn, port or ech");
    } else if (!is_set(binding, named[i])) {
      reader.fail_item("mandatory", i, quoted(named[i]) + " is not set here");
    } else if (std::find(named.begin(), here, named[i]) != here) {
      reader.fail_item("mandatory", i, quoted(named[i]) + " is named twice");
    }
  }
  std::copy_if(words.begin(), words.end(), std::back_inserter(binding.mandatory), [&named](std::string const& word) {
    return std::find(named.begin(), named.end(), word) != named.end();
  });
}

void read_target(Reader& reader, ServiceBinding& binding, std::string const& owner) {
  bool const alias = binding.priority == 0;
  std::string const text = alias ? reader.text("target") : reader.text("target", ".");
  auto const address = parse_address(text);
  std::string const host = text == "." ? text : address ? address->target : std::string();
  if (text.empty()) {
    return;  // told already
  }
  if (host.empty()) {
    reader.fail("target", quoted(text) + " is no host name in full", "'.' stands for the load balancer's own name");
  } else if (alias && (host == "." || host == owner)) {
    reader.fail("target", "an alias leads to another name",
                host == "." ? "here '.' would say that there is no such service" : "this is the load balancer itself");
  } else {
    binding.target = host;
  }
}

ServiceBinding read_binding(Reader& reader, std::string const& owner) {
  static std::vector<std::pair<std::string, std::string>> const types{{"HTTPS", "HTTPS"}, {"SVCB", "SVCB"}};
  ServiceBinding binding;
  if (!reader.has("type")) {
    reader.fail("type", "the key 'type' is missing", "HTTPS, or SVCB for other schemes");
  } else {
    binding.type = reader.choice<std::string>("type", types, binding.type);
  }
  binding.priority = reader.integer<std::uint16_t>("priority", {0, 65535}, binding.priority);
  read_target(reader, binding, owner);
  if (binding.priority == 0) {
    binding.hints = false;
    refuse_in_alias(reader);
    return binding;
  }
  read_alpn(reader, binding);
  if (reader.has("port")) {
    binding.port = reader.port("port");
  }
  binding.ech = reader.text("ech", "");
  if (std::string const why = binding.ech.empty() ? "" : ech_problem(binding.ech); !why.empty()) {
    reader.fail("ech", why, "the whole of what the server's key tool prints, on one line");
  }
  read_mandatory(reader, binding);
  // The addresses here are not those of another name, unless somebody says that they are.
  binding.hints = reader.boolean("hints", binding.target == "." || binding.target == owner);
  return binding;
}

// What two bindings cannot both say; empty: they may stand together.
std::string clash(ServiceBinding const& before, ServiceBinding now) {
  if (before.type != now.type) {
    return {};
  }
  // RFC 9460 2.4.1 and 2.4.2.
  if (before.priority == 0 && now.priority == 0) {
    return "there can be only one alias of type " + now.type;
  }
  if (before.priority == 0 || now.priority == 0) {
    return "beside an alias of type " + now.type + " every service of that type would be ignored";
  }
  now.hints = before.hints;
  return before == now ? "is the same as one before it" : "";
}

}  // namespace

std::vector<ServiceBinding> read_service_bindings(Reader& balancer, std::string const& owner) {
  std::vector<ServiceBinding> bindings;
  for (Reader& section : balancer.sections("service_bindings")) {
    ServiceBinding binding = read_binding(section, owner);
    for (ServiceBinding const& before : bindings) {
      if (std::string why = clash(before, binding); !why.empty()) {
        section.fail("", std::move(why));
        break;
      }
    }
    bindings.push_back(std::move(binding));
  }
  if (bindings.size() > service_bindings_max) {
    balancer.fail("service_bindings", "has more than " + std::to_string(service_bindings_max) + " bindings");
  }
  return bindings;
}

}  // namespace steering
