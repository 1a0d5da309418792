#include "mesh/plan/slots.hpp"

#include "topology/room/second_port.hpp"

#include "mesh/plan/plan.hpp"

namespace plan {

std::string device_name(topology::Link const& link, std::string_view node, unsigned slot) {
  constexpr std::size_t longest = 15;  // IFNAMSIZ with its final zero is 16
  auto const name = topology::interface_name(link, node);
  if (slot == 0) {
    return name;
  }
  if (name.size() < longest) {
    return name + "~";
  }
  // Cutting it short could make two links' names one, so the link's id names it.
  constexpr std::string_view digits = "0123456789abcdef";
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (char const c : link.name()) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  std::string out(interface_prefix);
  for (unsigned shift = 32; shift > 0; shift -= 4) {
    out += digits[(hash >> (shift - 4U)) & 0xFU];
  }
  return out + "~";
}

std::uint16_t device_port(topology::Allocation const& allocation, topology::Link const& link, std::string_view node,
                          unsigned slot) {
  std::uint16_t const first = topology::listen_port(allocation, link, node);
  return slot == 0 ? first : topology::second_port(first);
}

}  // namespace plan
