// How many connections the controller serves at once.
//
// Each agent holds two, a long poll and one for its reports, so that 10,000 nodes are 20,000 connections. Strangers are
// those who have shown no certificate: machines that join, and whoever else can reach the port.
//
// Threads: raise_descriptors_max belongs to the start; connections_max is a pure function.
#pragma once

#include <cstddef>
#include <cstdint>

namespace controller {

inline constexpr std::size_t strangers_max = 2048;
inline constexpr std::size_t connections_wanted = 24000;

// Lets this process open as many files as `connections_wanted` takes, or as many as the system allows
// (LimitNOFILE= of systemd.exec(5), RLIMIT_NOFILE of setrlimit(2)); how many it may open now.
std::uint64_t raise_descriptors_max();

// Beside the store, the logs and the operators' socket there must always be descriptors left.
[[nodiscard]] std::size_t connections_max(std::uint64_t descriptors);

}  // namespace controller
