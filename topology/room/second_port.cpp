#include "topology/room/second_port.hpp"

namespace topology {

std::uint16_t second_port(std::uint16_t first) {
  bool const fits = first + second_port_distance <= 65535;
  return static_cast<std::uint16_t>(fits ? first + second_port_distance : first - second_port_distance);
}

}  // namespace topology
