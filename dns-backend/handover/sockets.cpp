#include "dns-backend/handover/sockets.hpp"

#include "base/process/log.hpp"

#include <array>

namespace handover {
namespace {

constexpr std::array<std::string_view, 4> names = {"navigator-unix-listener", "navigator-unix-connection",
                                                   "navigator-http-listener", "navigator-http-connection"};

}  // namespace

std::string_view to_text(SocketKind kind) {
  return names.at(static_cast<std::size_t>(kind));
}

std::optional<SocketKind> parse_kind(std::string_view text) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names.at(i) == text) {
      return static_cast<SocketKind>(i);
    }
  }
  return std::nullopt;
}

OpenSockets passed_sockets() {
  OpenSockets sockets;
  for (process::NamedDescriptor& passed : process::take_passed_descriptors()) {
    auto const kind = parse_kind(passed.name);
    if (!kind) {
      process::log::warning("remote", "the service manager passed a socket named '{}', which is closed", passed.name);
      continue;
    }
    sockets.push_back({*kind, std::move(passed.descriptor)});
  }
  if (sockets.empty()) {
    return sockets;
  }
  // As long as the service manager holds copies, PowerDNS would not see that a connection was closed.
  for (std::string_view const name : names) {
    if (auto const forgotten = process::forget_descriptors(std::string(name)); !forgotten) {
      process::log::warning("remote", "{}", forgotten.error().what());
    }
  }
  return sockets;
}

base::Result<void> store_sockets(OpenSockets const& sockets, std::chrono::milliseconds deadline) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<int> descriptors;
    for (OpenSocket const& socket : sockets) {
      if (socket.kind == static_cast<SocketKind>(i)) {
        descriptors.push_back(socket.descriptor.get());
      }
    }
    if (descriptors.empty()) {
      continue;
    }
    if (auto stored = process::store_descriptors(std::string(names.at(i)), descriptors); !stored) {
      return stored;
    }
  }
  return process::wait_for_service_manager(deadline);
}

}  // namespace handover
