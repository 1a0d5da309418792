// The protocols of one check, each a coroutine without a deadline of its own (probe::run brings it). Private to
// base/probe.
//
// Threads: run on the calling loop; no shared state.
#pragma once

#include "base/probe/probe.hpp"

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace probe {

inline constexpr std::size_t answer_limit = 64U << 10U;

// What the attempt is waiting for, so that a passed deadline can say more than "timed out".
struct Progress {
  std::string waiting_for = "no connection";
};
using ProgressPtr = std::shared_ptr<Progress>;

net::Task<Verdict> tcp_attempt(Check check, ProgressPtr progress);
net::Task<Verdict> http_attempt(Check check, ProgressPtr progress);
net::Task<Verdict> dns_attempt(Check check, ProgressPtr progress);

[[nodiscard]] Verdict good();
[[nodiscard]] Verdict bad(std::string reason);
// "connection refused", "host unreachable", ...; otherwise the system's own words.
[[nodiscard]] std::string reason_of(boost::system::error_code error);

// --- the pure half of the DNS check ---

// A question in wire form; empty when the name or the type of `check` is none. With EDNS (1,232 octets), without RD.
[[nodiscard]] std::vector<std::uint8_t> dns_question(Check const& check, std::uint16_t id);

// Whether these octets are the answer to that question: same id, a response, same question section.
[[nodiscard]] bool is_answer_to(std::span<std::uint8_t const> answer, std::span<std::uint8_t const> question);
[[nodiscard]] bool is_truncated(std::span<std::uint8_t const> answer);

// The verdict on an answer for which is_answer_to holds.
[[nodiscard]] Verdict judge_dns_answer(Check const& check, std::span<std::uint8_t const> answer);

}  // namespace probe
