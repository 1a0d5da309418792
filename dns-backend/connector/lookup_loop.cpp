#include "dns-backend/connector/lookup_loop.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <sys/socket.h>

namespace connector {

namespace asio = boost::asio;
using asio::generic::stream_protocol;

handover::SocketKind connection_kind(Framing framing) {
  return framing == Framing::line ? handover::SocketKind::unix_connection : handover::SocketKind::http_connection;
}

LookupLoop::LookupLoop(Serving serving) : work_(asio::make_work_guard(context_)), serving_(std::move(serving)) {
  thread_ = std::thread([this] { context_.run(); });
}

LookupLoop::~LookupLoop() {
  stop();
  join();
}

net::Task<void> LookupLoop::serve(LookupLoop& loop, std::shared_ptr<Session> session, handover::SocketKind kind,
                                  Ended ended) {
  process::Descriptor left = co_await Session::run(session);
  loop.sessions_.erase(session);
  session.reset();
  ended({kind, std::move(left)});
}

void LookupLoop::take(process::Descriptor descriptor, Framing framing, Ended const& ended) {
  stream_protocol::socket socket(context_);
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  boost::system::error_code error = asio::error::bad_descriptor;
  if (::getsockname(descriptor.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) {  // NOLINT
    socket.assign(stream_protocol(address.ss_family, 0), descriptor.get(), error);
  }
  if (error) {
    ended({connection_kind(framing), process::Descriptor()});
    return;
  }
  (void)descriptor.release();  // the socket's
  if (framing == Framing::http) {
    socket.set_option(asio::ip::tcp::no_delay(true), error);
  }
  auto const session = std::make_shared<Session>(std::move(socket), framing, serving_);
  sessions_.insert(session);
  if (leaving_) {
    session->leave();
  }
  net::spawn(context_.get_executor(), "remote session", serve(*this, session, connection_kind(framing), ended));
}

void LookupLoop::adopt(process::Descriptor socket, Framing framing, Ended ended) {
  asio::post(context_, [this, ended = std::move(ended), framing, taken = std::move(socket)]() mutable {
    take(std::move(taken), framing, ended);
  });
}

void LookupLoop::tell(bool leave) {
  asio::post(context_, [this, leave] {
    leaving_ = leave;
    for (auto const& session : sessions_) {
      if (leave) {
        session->leave();
      }
    }
  });
}

void LookupLoop::close_sessions() {
  asio::post(context_, [this] {
    for (auto const& session : sessions_) {
      session->close();
    }
  });
}

void LookupLoop::stop() {
  close_sessions();
  asio::post(context_, [this] { work_.reset(); });
}

void LookupLoop::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace connector
