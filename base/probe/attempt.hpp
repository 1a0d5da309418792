// The protocols of one check, each a coroutine without a deadline of its own (probe.cpp brings it). Private to
// base/probe.
//
// Threads: run on the calling loop; no shared state.
#pragma once

#include "base/probe/http/redirect.hpp"
#include "base/probe/probe.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace re2 {
class RE2;
}

namespace probe {

inline constexpr std::size_t answer_limit = 64U << 10U;

struct Connection;

// What the attempts of one check, and the checks of one session, share. Each attempt holds it.
struct Context {
  Context(Check wanted, bool may_keep);
  ~Context();
  Context(Context const&) = delete;
  Context& operator=(Context const&) = delete;

  Check const check;
  bool keep;                                // may a connection stay for the next check
  std::unique_ptr<Connection> kept;         // not while an attempt uses it
  std::unique_ptr<re2::RE2 const> pattern;  // of expected_body_pattern, made by the first attempt that needs it

  // Of the present attempt: what it waits for, so that a passed deadline can say more than "timed out" ...
  char const* waiting_for = "no connection";
  // ... and the verdict, once only the rest of the answer is missing that lets the connection be kept.
  std::optional<Verdict> decided;
  std::string warning;  // of the first certificate that gave one
  std::chrono::steady_clock::time_point began;
};
using ContextPtr = std::shared_ptr<Context>;

net::Task<Verdict> tcp_attempt(ContextPtr context);
net::Task<Verdict> http_attempt(ContextPtr context);
net::Task<Verdict> dns_attempt(ContextPtr context);
net::Task<Verdict> icmp_attempt(ContextPtr context);

[[nodiscard]] Verdict good();
[[nodiscard]] Verdict bad(std::string reason);
// "connection refused", "host unreachable", ...; otherwise the system's own words.
[[nodiscard]] std::string reason_of(boost::system::error_code error);
// Nothing when `text` is no IP address; then the reason is in `problem`.
[[nodiscard]] std::optional<boost::asio::ip::address> target_address(std::string const& text, Verdict& problem);

// Whom an HTTP check asks first.
[[nodiscard]] Target first_target(Check const& check);

// --- the pure half of the ICMP check ---

struct Echo {
  bool v6 = false;
  std::uint16_t sequence = 0;
  std::uint64_t token = 0;  // in the payload: the kernel chooses the identifier of an unprivileged socket
};
// An echo request, with the checksum where we compute it (IPv4).
[[nodiscard]] std::vector<std::uint8_t> echo_request(Echo const& echo);
// Whether a received message is its reply. `with_header`: an IPv4 header stands before it (raw sockets).
[[nodiscard]] bool is_echo_reply(Echo const& echo, std::span<std::uint8_t const> message, bool with_header);

// ::socket, or what a test has instead of it.
using OpenSocket = int (*)(int family, int type, int protocol);
struct IcmpSocket {
  int descriptor = -1;  // of the caller; -1: none
  bool raw = false;
  std::string problem;  // why there is none
};
// An unprivileged datagram socket, or else a raw one.
[[nodiscard]] IcmpSocket open_icmp(bool v6, OpenSocket open);

// --- the pure half of the DNS check ---

// A question in wire form; empty when the name or the type of `check` is none. With EDNS (1,232 octets), without RD.
[[nodiscard]] std::vector<std::uint8_t> dns_question(Check const& check, std::uint16_t id);

// Whether these octets are the answer to that question: same id, a response, same question section.
[[nodiscard]] bool is_answer_to(std::span<std::uint8_t const> answer, std::span<std::uint8_t const> question);
[[nodiscard]] bool is_truncated(std::span<std::uint8_t const> answer);

// The verdict on an answer for which is_answer_to holds.
[[nodiscard]] Verdict judge_dns_answer(Check const& check, std::span<std::uint8_t const> answer);

}  // namespace probe
