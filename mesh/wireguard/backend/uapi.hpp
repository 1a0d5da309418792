// The text protocol of wireguard-go's control socket (https://www.wireguard.com/xplatform/): "get=1" and "set=1", one
// key=value a line, keys in hex, an empty line at the end, "errno=N" in the answer.
//
// Threads: pure functions; `get` and `set` run on the calling loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/wireguard/configuration.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace wireguard::uapi {

inline constexpr std::size_t reply_limit = 4U << 20U;  // bytes; a device of ours answers with less than 1 KiB
inline constexpr std::size_t peers_limit = 4096;

// The whole request. It holds the private key when one is set: wipe it after use.
std::string encode_set(Configuration const& configuration);

// The answer to "get=1": fills private_key, listen_port and peers of `device`. Unknown lines are skipped, as the
// protocol asks. errc::bad_message for anything malformed, errc::rejected when errno is not 0.
base::Result<void> decode_get(std::string_view reply, ObservedDevice& device);

// The answer to a "set=1": errc::rejected with the errno's text, errc::port_in_use for EADDRINUSE.
base::Result<void> decode_set(std::string_view reply);

// Speak to the socket at `path`. errc::unreachable when nobody accepts there (a stale socket file, or none).
net::Task<base::Result<void>> get(std::string path, ObservedDevice* device, std::chrono::milliseconds deadline);
net::Task<base::Result<void>> set(std::string path, Configuration configuration, std::chrono::milliseconds deadline);

}  // namespace wireguard::uapi
