#include "dns-backend/connector/door.hpp"

#include "base/process/folders.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <cerrno>
#include <charconv>
#include <vector>

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace connector {
namespace {

namespace asio = boost::asio;
using asio::generic::stream_protocol;
using asio::ip::tcp;

std::string const usual_group = "pdns";

base::Result<void> clear_the_way(std::string const& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? base::Result<void>() : base::fail_errno(errno, "looking at " + path);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return base::fail(net::errc::in_use, path + " exists and is no socket");
  }
  auto const holder = process::listener_pid(path);
  if (holder && *holder) {
    return base::fail(net::errc::in_use, "process " + std::to_string(**holder) + " listens on " + path);
  }
  // A listener whose backlog is full is alive as well.
  if (!holder && holder.error().code == boost::system::errc::resource_unavailable_try_again) {
    return base::fail(net::errc::in_use, "another process listens on " + path);
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return base::fail_errno(errno, "removing the stale socket " + path);
  }
  return {};
}

base::Result<void> set_access(std::string const& path, unsigned mode, std::string const& group) {
  if (::chmod(path.c_str(), mode) != 0) {
    return base::fail_errno(errno, "setting the mode of " + path);
  }
  // The packages of PowerDNS run pdns_server in this group.
  std::string const& name = group.empty() ? usual_group : group;
  struct group entry {};
  struct group* found = nullptr;
  std::vector<char> buffer(16384);
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return group.empty() ? base::Result<void>()
                         : base::fail_errno(
                               ENOENT, "there is no group '" + group + "' to give " + path + " to (remote.unix_group)");
  }
  if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0 && !group.empty()) {
    return base::fail_errno(errno, path + " cannot be given to the group '" + group +
                                       "' (remote.unix_group): run this program as root, or its user in that group");
  }
  return {};
}

}  // namespace

base::Result<tcp::endpoint> parse_http_address(std::string const& text) {
  auto const bad =
      base::fail(net::errc::bad_message, "'" + text + "' is no address like 127.0.0.1:18053 or [::1]:18053");
  std::size_t const colon = text.rfind(':');
  if (colon == std::string::npos) {
    return bad;
  }
  std::string host = text.substr(0, colon);
  bool const bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  std::uint16_t port = 0;
  char const* const end = text.data() + text.size();
  auto const read = std::from_chars(text.data() + colon + 1, end, port);
  boost::system::error_code error;
  auto const address = asio::ip::make_address(host, error);
  if (error || address.is_v6() != bracketed || read.ec != std::errc() || read.ptr != end || port == 0) {
    return bad;
  }
  if (!address.is_loopback()) {
    return base::fail(net::errc::bad_message, "'" + text +
                                                  "' is not a loopback address: the http connector has no "
                                                  "authentication, and whoever reaches it may change zones");
  }
  return tcp::endpoint(address, port);
}

base::Result<void> Door::bind_unix(unsigned mode, std::string const& group) {
  boost::system::error_code error;
  acceptor_.open(stream_protocol(AF_UNIX, 0), error);
  if (!error) {
    acceptor_.bind(asio::local::stream_protocol::endpoint(address_), error);
  }
  if (error) {
    return base::fail_errno(error.value(), "binding " + address_);
  }
  // The mode is set before anybody can connect.
  if (base::Result<void> access = set_access(address_, mode, group); !access) {
    ::unlink(address_.c_str());
    return access;
  }
  acceptor_.listen(Acceptor::max_listen_connections, error);
  if (error) {
    ::unlink(address_.c_str());
    return base::fail_errno(error.value(), "listening on " + address_);
  }
  return {};
}

base::Result<void> Door::open_unix(unsigned mode, std::string const& group) {
  constexpr std::size_t path_max = 107;  // sockaddr_un
  if (address_.empty() || address_.size() > path_max) {
    return base::fail_errno(ENAMETOOLONG, "listening on '" + address_ + "'");
  }
  // Whoever may reach the socket must get through its folder; the socket's own mode decides who may.
  if (auto made = process::make_folder_for(address_, 0755, "the socket remote.unix"); !made) {
    return made;
  }
  if (base::Result<void> cleared = clear_the_way(address_); !cleared) {
    return cleared;
  }
  base::Result<void> bound = bind_unix(mode, group);
  if (!bound) {
    handed_over_ = true;  // there is no socket file of ours to remove
  }
  return bound;
}

base::Result<void> Door::open_http() {
  auto const endpoint = parse_http_address(address_);
  if (!endpoint) {
    return endpoint.error();
  }
  boost::system::error_code error;
  acceptor_.open(stream_protocol(endpoint->protocol()), error);
  if (!error) {
    acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error) {
    acceptor_.bind(*endpoint, error);
  }
  if (!error) {
    acceptor_.listen(Acceptor::max_listen_connections, error);
  }
  if (error == asio::error::address_in_use) {
    return base::fail(net::errc::in_use, "another process listens on " + address_);
  }
  return error ? base::fail_errno(error.value(), "listening on " + address_) : base::Result<void>();
}

bool Door::is_ours(process::Descriptor const& descriptor) const {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(descriptor.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
    return false;
  }
  if (framing_ == Framing::line) {
    sockaddr_un bound{};
    size = sizeof bound;
    struct stat file {};
    return ::getsockname(descriptor.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&  // NOLINT
           bound.sun_family == AF_UNIX && address_ == bound.sun_path && ::lstat(address_.c_str(), &file) == 0;
  }
  tcp::endpoint bound;
  size = static_cast<socklen_t>(bound.capacity());
  auto const wanted = parse_http_address(address_);
  if (!wanted || ::getsockname(descriptor.get(), bound.data(), &size) != 0) {
    return false;
  }
  bound.resize(size);
  return bound == *wanted;
}

bool Door::take_over(process::Descriptor descriptor) {
  if (!is_ours(descriptor)) {
    return false;
  }
  auto const wanted =
      framing_ == Framing::line ? base::Result<tcp::endpoint>(tcp::endpoint()) : parse_http_address(address_);
  int const family = framing_ == Framing::line ? AF_UNIX : wanted->protocol().family();
  boost::system::error_code error;
  acceptor_.assign(stream_protocol(family, 0), descriptor.get(), error);
  if (error) {
    return false;
  }
  (void)descriptor.release();  // the acceptor's
  // Listening anew makes this process the one that SO_PEERCRED tells of.
  acceptor_.listen(Acceptor::max_listen_connections, error);
  return !error;
}

base::Result<process::Descriptor> Door::hand_over() {
  handed_over_ = true;
  process::Descriptor mine(acceptor_.native_handle());
  auto copy = mine.duplicate();
  (void)mine.release();
  return copy;
}

void Door::close() {
  if (!acceptor_.is_open()) {
    return;
  }
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  if (framing_ == Framing::line && !handed_over_) {
    ::unlink(address_.c_str());
  }
}

}  // namespace connector
