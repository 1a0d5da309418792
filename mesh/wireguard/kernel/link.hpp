// Interfaces and their addresses through rtnetlink (libnl-route). Routes are never touched: they are BIRD's.
//
// Threads: one loop; each call blocks for the time of a system call, at most two seconds.
#pragma once

#include "base/net/task.hpp"
#include "mesh/wireguard/device.hpp"
#include "mesh/wireguard/kernel/netlink_socket.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wireguard {

class Links {
 public:
  static base::Result<Links> open();

  // Interfaces whose name begins with `prefix` ("" for all), with kind, state, MTU and addresses; keys and peers empty.
  base::Result<std::vector<ObservedDevice>> list(std::string_view prefix);

  // Creates an interface of kind "wireguard" without IPv6 addresses of its own making. errc::not_supported when the
  // kernel has no such kind.
  base::Result<void> create_wireguard(std::string const& name);
  // No address of the kernel's own making: OSPFv3 would pick it (addrgenmode none), and a name for people.
  base::Result<void> prepare(std::string const& name, std::string const& alias);
  // By its index. It is down for a moment: older kernels rename no interface that is up.
  base::Result<void> rename(unsigned index, std::string const& name);
  base::Result<void> remove(std::string const& name);  // a success when there is none
  base::Result<void> set_mtu(std::string const& name, std::uint32_t mtu);
  base::Result<void> set_up(std::string const& name);
  // Adding what is there and removing what is gone are successes. IPv6 addresses skip duplicate detection: nobody
  // else can be on a point-to-point link or on lo.
  base::Result<void> add_address(std::string const& name, Network const& address);
  base::Result<void> remove_address(std::string const& name, Network const& address);

 private:
  explicit Links(netlink::Socket socket) : socket_(std::move(socket)) {}
  base::Result<unsigned> index(std::string const& name);
  netlink::Socket socket_;
};

// Tells when an interface or an address of this network namespace changed, whoever did it.
class LinkEvents {
 public:
  static base::Result<LinkEvents> open(net::asio::any_io_executor executor);
  LinkEvents(LinkEvents&&) noexcept;
  LinkEvents& operator=(LinkEvents&&) noexcept;
  ~LinkEvents();

  // True at the next event, false at the deadline. Events that happened since the last call count.
  net::Task<bool> wait(std::chrono::milliseconds deadline);

 private:
  struct State;
  explicit LinkEvents(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wireguard
