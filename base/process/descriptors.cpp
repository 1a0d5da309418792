#include "base/process/descriptors.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace process {
namespace {

base::Result<void> notify(std::string const& state, std::vector<int> const& descriptors) {
  int const done =
      ::sd_pid_notify_with_fds(0, 0, state.c_str(), descriptors.data(), static_cast<unsigned>(descriptors.size()));
  if (done < 0) {
    return base::fail_errno(-done, "telling the service manager");
  }
  return done > 0 ? base::Result<void>() : base::fail_errno(ENOTCONN, "there is no service manager");
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (value_ >= 0) {
      ::close(value_);
    }
    value_ = other.release();
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (value_ >= 0) {
    ::close(value_);
  }
}

base::Result<Descriptor> Descriptor::duplicate() const {
  int const copy = ::fcntl(value_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) {
    return base::fail_errno(errno, "copying a descriptor");
  }
  return Descriptor(copy);
}

std::vector<NamedDescriptor> take_passed_descriptors() {
  char** names = nullptr;
  int const count = ::sd_listen_fds_with_names(1, &names);  // 1: clears the environment
  std::vector<NamedDescriptor> out;
  for (int i = 0; i < count; ++i) {
    Descriptor descriptor(SD_LISTEN_FDS_START + i);
    ::fcntl(descriptor.get(), F_SETFD, FD_CLOEXEC);
    out.push_back({names[i], std::move(descriptor)});
    std::free(names[i]);  // NOLINT: libsystemd allocates so
  }
  std::free(names);  // NOLINT
  return out;
}

bool has_service_manager() {
  return std::getenv("NOTIFY_SOCKET") != nullptr;
}

base::Result<void> store_descriptors(std::string const& name, std::vector<int> const& descriptors) {
  constexpr std::size_t once_max = 200;  // the kernel takes 253 in one message
  for (std::size_t at = 0; at < descriptors.size(); at += once_max) {
    auto const first = descriptors.begin() + static_cast<std::ptrdiff_t>(at);
    auto const end = first + static_cast<std::ptrdiff_t>(std::min(once_max, descriptors.size() - at));
    if (auto sent = notify("FDSTORE=1\nFDNAME=" + name, {first, end}); !sent) {
      return sent;
    }
  }
  return {};
}

base::Result<void> forget_descriptors(std::string const& name) {
  return notify("FDSTOREREMOVE=1\nFDNAME=" + name, {});
}

base::Result<void> wait_for_service_manager(std::chrono::milliseconds deadline) {
  auto const microseconds = std::chrono::duration_cast<std::chrono::microseconds>(deadline).count();
  int const done = ::sd_notify_barrier(0, static_cast<std::uint64_t>(microseconds));
  return done >= 0 ? base::Result<void>() : base::fail_errno(-done, "waiting for the service manager");
}

base::Result<void> send_packet(int socket, std::string_view text, int descriptor) {
  iovec piece{const_cast<char*>(text.data()), text.size()};  // NOLINT: sendmsg only reads
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  if (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) != static_cast<ssize_t>(text.size())) {
    return base::fail_errno(errno, "sending a packet");
  }
  return {};
}

base::Result<std::optional<Packet>> receive_packet(int socket, std::size_t limit) {
  Packet packet;
  packet.text.resize(limit);
  iovec piece{packet.text.data(), packet.text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t const size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0) {
    return base::fail_errno(errno, "receiving a packet");
  }
  cmsghdr const* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    packet.descriptor = Descriptor(descriptor);
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return base::fail_errno(EMSGSIZE, "receiving a packet");
  }
  if (size == 0) {  // an empty packet is never sent: the other end has gone
    return std::optional<Packet>();
  }
  packet.text.resize(static_cast<std::size_t>(size));
  return std::optional<Packet>(std::move(packet));
}

base::Result<std::optional<int>> listener_pid(std::string const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return base::fail_errno(ENAMETOOLONG, "connecting to " + path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Descriptor const probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {  // NOLINT
    if (errno == ECONNREFUSED || errno == ENOENT) {
      return std::optional<int>();
    }
    return base::fail_errno(errno, "connecting to " + path);  // EAGAIN: alive, its backlog is full
  }
  ucred holder{};
  socklen_t size = sizeof holder;
  if (::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &holder, &size) != 0) {
    return base::fail_errno(errno, "asking who listens on " + path);
  }
  return std::optional<int>(holder.pid);
}

}  // namespace process
