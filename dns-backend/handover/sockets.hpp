// The sockets of a Listener as values, on their way from one process to the next.
//
// Threads: a value; passed_sockets and store_sockets belong to the control loop's thread.
#pragma once

#include "base/process/descriptors.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handover {

enum class SocketKind { unix_listener, unix_connection, http_listener, http_connection };

struct OpenSocket {
  SocketKind kind;
  process::Descriptor descriptor;
};
using OpenSockets = std::vector<OpenSocket>;

// The names under which they travel: "navigator-unix-listener" and so on. They are part of the interface between
// versions.
[[nodiscard]] std::string_view to_text(SocketKind kind);
[[nodiscard]] std::optional<SocketKind> parse_kind(std::string_view text);

// What the service manager kept since the last stop, and passed at this start. It is told to close its copies.
OpenSockets passed_sockets();
// Gives copies of them to the service manager, and waits until it has them.
base::Result<void> store_sockets(OpenSockets const& sockets, std::chrono::milliseconds deadline);

}  // namespace handover
