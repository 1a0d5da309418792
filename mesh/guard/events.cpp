#include "mesh/guard/events.hpp"

#include "mesh/guard/strays.hpp"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <utility>

namespace guard {
namespace {

base::Result<int> listen(int protocol, std::initializer_list<int> groups) {
  int const fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) {
    return base::fail_errno(errno, "opening a netlink socket for events");
  }
  // An unbound socket has the kernel's own number, and gets nothing that the kernel sends to others.
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  sockaddr generic{};
  static_assert(sizeof address <= sizeof generic);
  std::memcpy(&generic, &address, sizeof address);
  if (::bind(fd, &generic, sizeof address) != 0) {
    int const code = errno;
    ::close(fd);
    return base::fail_errno(code, "listening for netlink events");
  }
  for (int const group : groups) {
    if (::setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
      int const code = errno;
      ::close(fd);
      return base::fail_errno(code, "listening for netlink events");
    }
  }
  return fd;
}

net::Task<base::Result<void>> readable(net::asio::posix::stream_descriptor* socket) {
  boost::system::error_code error;
  co_await socket->async_wait(net::asio::posix::stream_descriptor::wait_read,
                              net::asio::redirect_error(net::asio::use_awaitable, error));
  if (error) {
    co_return base::Failure{error, "waiting for netlink events"};
  }
  co_return base::Result<void>();
}

}  // namespace

bool is_news(std::span<std::uint8_t const> datagram) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) {
      return false;
    }
    if (header.nlmsg_type == RTM_NEWNETCONF) {
      return true;
    }
    if (header.nlmsg_type == RTM_NEWROUTE && header.nlmsg_len >= sizeof header + sizeof(rtmsg)) {
      rtmsg route{};
      std::memcpy(&route, datagram.data() + sizeof header, sizeof route);
      if (!belongs(route.rtm_protocol)) {
        return true;
      }
    }
    auto const step = std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size());
    datagram = datagram.subspan(step);
  }
  return false;
}

struct Events::State {
  State(net::asio::any_io_executor executor, int fd, Of its_of) : of(its_of), socket(std::move(executor), fd) {}
  Of of;
  net::asio::posix::stream_descriptor socket;
  std::array<std::uint8_t, 16384> buffer{};

  // Everything that queued up. True when there was news in it; events that were too many to queue are news.
  bool drain() {
    bool any = false;
    for (;;) {
      auto const got = ::recv(socket.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got <= 0 && !(got < 0 && (errno == ENOBUFS || errno == EINTR))) {
        return any;
      }
      any = any || got < 0 || of == Of::rules || is_news({buffer.data(), static_cast<std::size_t>(got)});
    }
  }
};

Events::Events(std::unique_ptr<State> state) : state_(std::move(state)) {}
Events::Events(Events&&) noexcept = default;
Events& Events::operator=(Events&&) noexcept = default;
Events::~Events() = default;

base::Result<Events> Events::open(net::asio::any_io_executor executor, Of of) {
  auto const fd =
      of == Of::rules
          ? listen(NETLINK_NETFILTER, {NFNLGRP_NFTABLES})
          : listen(NETLINK_ROUTE, {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF});
  if (!fd) {
    return fd.error();
  }
  return Events(std::make_unique<State>(std::move(executor), *fd, of));
}

net::Task<bool> Events::wait(std::chrono::milliseconds deadline) {
  auto const until = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    if (state_->drain()) {
      co_return true;
    }
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= std::chrono::milliseconds(0)) {
      co_return false;
    }
    static_cast<void>(co_await net::within(left, readable(&state_->socket)));
  }
}

}  // namespace guard
