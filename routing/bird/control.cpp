#include "routing/bird/control.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <sys/un.h>

#include <array>
#include <cstddef>
#include <memory>

namespace bird {

namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

constexpr std::size_t reply_limit = 4U << 20U;

// boost's base class has a protected destructor that is not virtual, by design.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "bird"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::unreachable:
        return "BIRD cannot be reached";
      case errc::failed:
        return "BIRD could not do it";
      case errc::syntax:
        return "BIRD did not understand it";
      case errc::bad_reply:
        return "not a reply of BIRD";
      case errc::too_large:
        return "the reply is too long";
    }
    return "unknown";
  }
};
#pragma GCC diagnostic pop

// The lines of one connection, read as they come.
struct Session {
  explicit Session(asio::any_io_executor executor) : socket(std::move(executor)) {}

  stream_protocol::socket socket;
  std::string buffer;
  std::size_t received = 0;
};

// One line without its end, by Session::buffer.
net::Task<base::Result<std::string>> read_line(std::shared_ptr<Session> session) {
  std::array<char, 4096> chunk{};
  for (;;) {
    std::size_t const end = session->buffer.find('\n');
    if (end != std::string::npos) {
      std::string line = session->buffer.substr(0, end);
      session->buffer.erase(0, end + 1);
      co_return line;
    }
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    std::size_t const count = co_await session->socket.async_read_some(asio::buffer(chunk), token);
    if (error) {
      co_return base::fail(errc::bad_reply, "BIRD closed the connection in the middle of a reply");
    }
    session->received += count;
    if (session->received > reply_limit) {
      co_return base::fail(errc::too_large, "BIRD's reply exceeds 4 MiB");
    }
    session->buffer.append(chunk.data(), count);
  }
}

net::Task<base::Result<Reply>> read_reply(std::shared_ptr<Session> session) {
  ReplyReader reader;
  for (;;) {
    auto const line = co_await read_line(session);
    if (!line) {
      co_return line.error();
    }
    auto const ended = reader.feed(*line);
    if (!ended) {
      co_return ended.error();
    }
    if (*ended) {
      co_return reader.take();
    }
  }
}

net::Task<base::Result<Reply>> converse(std::string path, std::string text) {
  auto const session = std::make_shared<Session>(co_await asio::this_coro::executor);
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    co_return base::fail(errc::unreachable, "the socket path is too long: " + path);
  }
  stream_protocol::endpoint const endpoint(path);
  co_await session->socket.async_connect(endpoint, token);
  if (error) {
    co_return base::fail(errc::unreachable, "cannot connect to " + path + ": " + error.message());
  }
  auto const greeting = co_await read_reply(session);
  if (!greeting) {
    co_return greeting.error();
  }
  text += '\n';
  co_await asio::async_write(session->socket, asio::buffer(text), token);
  if (error) {
    co_return base::fail(errc::bad_reply, "BIRD closed the connection: " + error.message());
  }
  auto reply = co_await read_reply(session);
  co_return reply;
}

// A failure when the reply's last line is one; its detail is every line BIRD wrote.
base::Result<Reply> judged(std::string const& command, Reply reply) {
  unsigned const code = reply.lines.empty() ? 0 : reply.lines.back().code;
  if (code < 8000) {
    return reply;
  }
  std::string said;
  for (auto const& line : reply.lines) {
    said += (said.empty() ? "" : "; ") + line.text;
  }
  return base::fail(code < 9000 ? errc::failed : errc::syntax, "'" + command + "': " + said);
}

// A command is one line; a line end or quote inside a name would be another command.
bool safe(std::string const& argument) {
  return argument.find_first_of("\r\n\"") == std::string::npos && argument.find('\0') == std::string::npos;
}

net::Task<base::Result<Reply>> ask(std::string path, std::chrono::milliseconds deadline, std::string text) {
  auto reply = co_await net::within<Reply>(deadline, converse(path, text));
  if (!reply) {
    co_return reply.error();
  }
  co_return judged(text, std::move(*reply));
}

net::Task<base::Result<void>> act(std::string path, std::chrono::milliseconds deadline, std::string verb,
                                  std::string argument, bool quoted) {
  if (!safe(argument)) {
    co_return base::fail(errc::syntax, "not a name that BIRD can be given");
  }
  std::string text = std::move(verb);
  if (!argument.empty()) {
    text += quoted ? " \"" + argument + "\"" : " " + argument;
  }
  auto const reply = co_await ask(std::move(path), deadline, std::move(text));
  if (!reply) {
    co_return reply.error();
  }
  co_return base::Result<void>();
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

Lines Reply::text() const {
  Lines out;
  out.reserve(lines.size());
  for (auto const& line : lines) {
    out.push_back(line.text);
  }
  return out;
}

// "1002-text" goes on, "0000 text" ends; a line that begins with a space continues the one before with its code; one
// that begins with '+' is an asynchronous message and no part of the reply.
base::Result<bool> ReplyReader::feed(std::string_view line) {
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  if (!line.empty() && line.front() == '+') {
    return false;
  }
  if (!line.empty() && line.front() == ' ') {
    if (reply_.lines.empty()) {
      return base::fail(errc::bad_reply, "BIRD's reply begins with a continuation");
    }
    reply_.lines.push_back({reply_.lines.back().code, std::string(line.substr(1))});
    return false;
  }
  bool const coded = line.size() >= 5 && line.substr(0, 4).find_first_not_of("0123456789") == std::string_view::npos &&
                     (line[4] == ' ' || line[4] == '-');
  if (!coded) {
    return base::fail(errc::bad_reply, "not a reply line of BIRD: '" + std::string(line.substr(0, 80)) + "'");
  }
  unsigned code = 0;
  for (char const digit : line.substr(0, 4)) {
    code = code * 10 + static_cast<unsigned>(digit - '0');
  }
  bool const last = line[4] == ' ';
  if (!last || line.size() > 5 || code >= 8000) {
    reply_.lines.push_back({code, std::string(line.substr(5))});
  }
  return last;
}

net::Task<base::Result<Reply>> Control::command(std::string text) const {
  if (text.find_first_of("\r\n") != std::string::npos) {
    text.clear();  // an empty command is a syntax error that BIRD reports itself
  }
  return ask(socket_path_, deadline_, std::move(text));
}

namespace {

net::Task<base::Result<void>> without_reply(net::Task<base::Result<Reply>> asked) {
  auto const reply = co_await std::move(asked);
  co_return reply ? base::Result<void>() : base::Result<void>(reply.error());
}

}  // namespace

net::Task<base::Result<void>> Control::configure(std::string file, std::chrono::seconds undo_after) const {
  if (undo_after.count() == 0) {
    return act(socket_path_, deadline_, "configure", std::move(file), true);
  }
  std::string const quoted = file.empty() || file.find('"') != std::string::npos ? "" : " \"" + file + "\"";
  return without_reply(command("configure" + quoted + " timeout " + std::to_string(undo_after.count())));
}

net::Task<base::Result<void>> Control::check(std::string file) const {
  return act(socket_path_, deadline_, "configure check", std::move(file), true);
}

net::Task<base::Result<void>> Control::enable(std::string protocol) const {
  return act(socket_path_, deadline_, "enable", std::move(protocol), true);
}

net::Task<base::Result<void>> Control::disable(std::string protocol) const {
  return act(socket_path_, deadline_, "disable", std::move(protocol), true);
}

namespace {

template <class Row>
net::Task<base::Result<std::vector<Row>>> rows(net::Task<base::Result<Reply>> asked,
                                               std::vector<Row> (*parse)(Lines const&)) {
  auto const reply = co_await std::move(asked);
  if (!reply) {
    co_return reply.error();
  }
  co_return parse(reply->text());
}

}  // namespace

net::Task<base::Result<std::vector<ProtocolRow>>> Control::protocols() const {
  return rows<ProtocolRow>(command("show protocols"), parse_protocols);
}

net::Task<base::Result<std::vector<Neighbor>>> Control::ospf_neighbors() const {
  return rows<Neighbor>(command("show ospf neighbors"), parse_ospf_neighbors);
}

net::Task<base::Result<std::vector<BfdSession>>> Control::bfd_sessions() const {
  return rows<BfdSession>(command("show bfd sessions"), parse_bfd_sessions);
}

}  // namespace bird
