#include "mesh/doctor/examination.hpp"

#include <algorithm>

namespace doctor {

wireguard::ObservedDevice const* Examination::observed(std::string const& device) const {
  auto const found = std::find_if(facts_.devices.begin(), facts_.devices.end(),
                                  [&](wireguard::ObservedDevice const& one) { return one.name == device; });
  return found == facts_.devices.end() ? nullptr : &*found;
}

std::string Examination::peer(std::string const& device) const {
  auto const peer = facts_.peer_of_device.find(device);
  return peer == facts_.peer_of_device.end() ? std::string() : peer->second;
}

std::string Examination::link(std::string const& device) const {
  auto const other = peer(device);
  return other.empty() ? "the link " + device : "the link to " + other + " (" + device + ")";
}

}  // namespace doctor
