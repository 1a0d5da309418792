#include "mesh/wireguard/kernel/netlink_socket.hpp"

#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <openssl/crypto.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

namespace wireguard::netlink {
namespace {

struct FreeMessage {
  void operator()(nl_msg* message) const {
    // It may have carried a private key.
    auto* header = nlmsg_hdr(message);
    OPENSSL_cleanse(nlmsg_data(header), static_cast<std::size_t>(nlmsg_datalen(header)));
    nlmsg_free(message);
  }
};
struct FreeCallbacks {
  void operator()(nl_cb* callbacks) const { nl_cb_put(callbacks); }
};

struct Exchange {
  std::function<void(std::span<std::uint8_t const>)> const* take = nullptr;
  int error = 0;
  bool done = false;
};

int on_message(nl_msg* message, void* argument) {
  auto& exchange = *static_cast<Exchange*>(argument);
  auto const* header = nlmsg_hdr(message);
  if (*exchange.take) {
    (*exchange.take)({static_cast<std::uint8_t const*>(static_cast<void const*>(header)), header->nlmsg_len});
  }
  return NL_OK;
}

int on_finish(nl_msg* message, void* argument) {
  auto& exchange = *static_cast<Exchange*>(argument);
  // The end of a dump carries an error number of its own.
  auto const* header = nlmsg_hdr(message);
  int code = 0;
  if (nlmsg_datalen(header) >= static_cast<int>(sizeof code)) {
    std::memcpy(&code, nlmsg_data(header), sizeof code);
  }
  exchange.error = -code;
  exchange.done = true;
  return NL_STOP;
}

int on_acknowledgment(nl_msg* /*message*/, void* argument) {
  static_cast<Exchange*>(argument)->done = true;
  return NL_STOP;
}

int on_error(sockaddr_nl* /*from*/, nlmsgerr* error, void* argument) {
  auto& exchange = *static_cast<Exchange*>(argument);
  exchange.error = -error->error;
  exchange.done = true;
  return NL_STOP;
}

}  // namespace

void FreeSocket::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

base::Result<Socket> Socket::open(int protocol) {
  std::unique_ptr<nl_sock, FreeSocket> socket(nl_socket_alloc());
  ASSERT(socket != nullptr);
  if (auto const code = nl_connect(socket.get(), protocol); code < 0) {
    return failure_of_libnl(code, "opening a netlink socket");
  }
  timeval const deadline{2, 0};
  if (::setsockopt(nl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline) != 0) {
    return base::fail_errno(errno, "setting the deadline of a netlink socket");
  }
  return Socket(std::move(socket));
}

int Socket::exchange(std::vector<std::uint8_t> const& message,
                     std::function<void(std::span<std::uint8_t const>)> const& take) {
  // libnl wants to write sequence number and port id, so it gets a copy of the bytes.
  auto bytes = message;
  std::unique_ptr<nl_msg, FreeMessage> const request(
      nlmsg_convert(static_cast<nlmsghdr*>(static_cast<void*>(bytes.data()))));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  ASSERT(request != nullptr);
  if (auto const sent = nl_send_auto(socket_.get(), request.get()); sent < 0) {
    return sent == -NLE_PERM ? EPERM : EIO;
  }
  Exchange exchange{&take};
  std::unique_ptr<nl_cb, FreeCallbacks> const callbacks(nl_cb_alloc(NL_CB_DEFAULT));
  ASSERT(callbacks != nullptr);
  nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, on_message, &exchange);
  nl_cb_set(callbacks.get(), NL_CB_FINISH, NL_CB_CUSTOM, on_finish, &exchange);
  nl_cb_set(callbacks.get(), NL_CB_ACK, NL_CB_CUSTOM, on_acknowledgment, &exchange);
  nl_cb_err(callbacks.get(), NL_CB_CUSTOM, on_error, &exchange);
  while (!exchange.done) {
    if (auto const code = nl_recvmsgs(socket_.get(), callbacks.get()); code < 0 && !exchange.done) {
      return code == -NLE_AGAIN ? ETIMEDOUT : EIO;
    }
  }
  return exchange.error;
}

base::Failure failure_of(int error_number, std::string const& doing) {
  auto const text = doing + ": " + boost::system::error_code(error_number, boost::system::generic_category()).message();
  switch (error_number) {
    case EPERM:
    case EACCES:
      return base::fail(errc::no_permission, text + "; run as root or with CAP_NET_ADMIN");
    case ENODEV:
      return base::fail(errc::no_device, text);
    case EADDRINUSE:
      return base::fail(errc::port_in_use, text + "; stop the program that holds it or change mesh.port_base");
    case EOPNOTSUPP:
      return base::fail(errc::not_supported, text);
    default:
      return base::fail(errc::rejected, text);
  }
}

base::Failure failure_of_libnl(int code, std::string const& doing) {
  auto const text = doing + ": " + nl_geterror(code);
  switch (code < 0 ? -code : code) {
    case NLE_PERM:
    case NLE_NOACCESS:
      return base::fail(errc::no_permission, text + "; run as root or with CAP_NET_ADMIN");
    case NLE_NODEV:
    case NLE_OBJ_NOTFOUND:
      return base::fail(errc::no_device, text);
    case NLE_OPNOTSUPP:
      return base::fail(errc::not_supported, text);
    default:
      return base::fail(errc::rejected, text);
  }
}

}  // namespace wireguard::netlink
