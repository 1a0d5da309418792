// The kernel's rules of policy routing, over rtnetlink (linux/fib_rules.h).
//
// Threads: one loop; calls block for the time of a system call.
#pragma once

#include "mesh/passing_on/rules.hpp"
#include "mesh/wireguard/kernel/netlink_socket.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace passing_on {

class KernelRules {
 public:
  static base::Result<KernelRules> open();
  base::Result<std::vector<Rule>> list();  // both families
  base::Result<void> apply(Step const& step);

 private:
  explicit KernelRules(wireguard::netlink::Socket socket) : socket_(std::move(socket)) {}
  wireguard::netlink::Socket socket_;
};

// Pure: the request for a step, and a rule out of the kernel's message; nullopt: it is none.
std::vector<std::uint8_t> request(Step const& step);
std::optional<Rule> parse_rule(std::span<std::uint8_t const> message);

}  // namespace passing_on
