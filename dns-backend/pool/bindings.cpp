#include "dns-backend/pool/bindings.hpp"

#include <algorithm>
#include <array>

namespace pool {
namespace {

void append(Content& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

// Nothing, not even the key, without an address: an empty list is malformed (RFC 9460 7.3).
void append_hint(Content& out, std::string_view key, Selection const* selection, std::string Endpoint::*address) {
  if (selection == nullptr) {
    return;
  }
  std::array<std::string_view, hints_max> named;
  std::size_t count = 0;
  for (Endpoint const* const endpoint : selection->endpoints) {
    std::string_view const text = endpoint->*address;
    auto const* const end = named.begin() + count;
    // One address may be an origin of several pools.
    if (text.empty() || std::find<std::string_view const*>(named.begin(), end, text) != end) {
      continue;
    }
    append(out, count == 0 ? key : ",");
    append(out, text);
    named.at(count++) = text;
    if (count == hints_max) {
      return;
    }
  }
}

template <class Condition>
bool any(LoadBalancer const& balancer, std::uint16_t type, Condition condition) {
  return std::any_of(balancer.bindings.begin(), balancer.bindings.end(),
                     [&](Binding const& binding) { return binding.type == type && condition(binding); });
}

}  // namespace

void fill_content(Content& out, Binding const& binding, Selection const* four, Selection const* six) {
  out.clear();
  append(out, binding.head);
  if (binding.hints) {
    append_hint(out, " ipv4hint=", four, &Endpoint::address4);
  }
  append(out, binding.ech);
  if (binding.hints) {
    append_hint(out, " ipv6hint=", six, &Endpoint::address6);
  }
}

bool binds(LoadBalancer const& balancer, std::uint16_t type) {
  return any(balancer, type, [](Binding const&) { return true; });
}

bool hints(LoadBalancer const& balancer, std::uint16_t type) {
  return any(balancer, type, [](Binding const& binding) { return binding.hints; });
}

}  // namespace pool
