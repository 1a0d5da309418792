#include "dns-backend/connector/session.hpp"

#include "base/process/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <chrono>

namespace connector {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto request_deadline = 10s;
constexpr auto reply_deadline = 10s;
constexpr std::size_t piece_least = 4096;
constexpr std::size_t piece_most = 1U << 20U;
constexpr std::size_t kept_capacity = 1U << 20U;  // a buffer that grew above this for one large reply is given back

}  // namespace

net::Task<process::Descriptor> Session::run(std::shared_ptr<Session> self) {
  boost::system::error_code ignored;
  self->socket_.non_blocking(true, ignored);
  base::Result<void> const ended = co_await self->serve();
  if (self->leaving_ && !self->closed_ && ended) {
    co_return process::Descriptor(self->socket_.release(ignored));
  }
  if (!ended && ended.error().code != net::errc::closed && ended.error().code != net::errc::cancelled) {
    process::log::warning("remote", "connection closed instead of an answer: {}", ended.error().what());
    self->serving_.meters.failed(ended.error().code);
  }
  self->close();
  co_return process::Descriptor();
}

void Session::leave() {
  leaving_ = true;
  if (idle_ && !conversation_.in_transaction()) {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }
}

void Session::close() {
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

net::Task<base::Result<void>> Session::serve() {
  for (;;) {
    if (leaving_ && in_.empty() && !conversation_.in_transaction()) {
      co_return base::Result<void>();
    }
    base::Result<void> done = co_await read_request();
    if (!done) {
      if (leaving_ && !closed_ && in_.empty() && done.error().code == net::errc::cancelled) {
        continue;
      }
      co_return done;
    }
    out_.clear();
    if (out_.capacity() > kept_capacity) {
      out_.shrink_to_fit();
    }
    base::Result<bool> const at_once = conversation_.reply_at_once(cut_.request, out_);
    if (!at_once) {
      co_return at_once.error();
    }
    if (!*at_once) {
      done = co_await conversation_.reply_to_write(out_);
      if (!done) {
        co_return done;
      }
    }
    out_.insert(0, reply_head(framing_, out_, cut_.keep_alive));
    done = co_await write_reply();
    if (!done) {
      co_return done;
    }
    conversation_.replied();
    if (!cut_.keep_alive) {
      co_return base::fail(net::errc::closed, "the peer wanted one answer");
    }
    in_.erase(0, cut_.octets);
  }
}

net::Task<base::Result<std::size_t>> Session::read_some() {
  std::size_t const before = in_.size();
  // Each piece is searched for its end with all before it: pieces that grow keep a request of megabytes linear.
  std::size_t const piece = std::clamp(before, piece_least, piece_most);
  in_.resize(before + piece);
  boost::system::error_code error;
  std::size_t const count = co_await socket_.async_read_some(asio::buffer(in_.data() + before, piece),
                                                             asio::redirect_error(asio::use_awaitable, error));
  in_.resize(before + count);
  if (error == asio::error::operation_aborted) {
    co_return base::fail(net::errc::cancelled, "closed by this side");
  }
  if (error) {
    co_return base::fail(net::errc::closed, "closed by PowerDNS");
  }
  co_return count;
}

net::Task<base::Result<void>> Session::read_request() {
  for (;;) {
    base::Result<std::optional<Cut>> cut = cut_request(framing_, in_, body_);
    if (!cut) {
      co_return cut.error();
    }
    if (*cut) {
      cut_ = **cut;
      co_return base::Result<void>();
    }
    base::Result<std::size_t> count(0);
    if (in_.empty()) {
      idle_ = true;
      count = co_await read_some();
      idle_ = false;
    } else {
      count = co_await net::within<std::size_t>(request_deadline, read_some());
    }
    if (!count) {
      co_return count.error();
    }
  }
}

net::Task<base::Result<std::size_t>> Session::write_rest(std::size_t done) {
  boost::system::error_code error;
  std::size_t const count = co_await asio::async_write(socket_, asio::buffer(out_.data() + done, out_.size() - done),
                                                       asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    co_return base::fail(net::errc::closed, "closed while a reply was written");
  }
  co_return count;
}

net::Task<base::Result<void>> Session::write_reply() {
  // A usual reply fits the socket's buffer at once; only a long one needs to wait for the reader.
  boost::system::error_code error;
  std::size_t const done = socket_.write_some(asio::buffer(out_), error);
  if (error && error != asio::error::would_block && error != asio::error::try_again) {
    co_return base::fail(net::errc::closed, "closed while a reply was written");
  }
  if (done == out_.size()) {
    co_return base::Result<void>();
  }
  base::Result<std::size_t> rest = co_await net::within<std::size_t>(reply_deadline, write_rest(done));
  if (!rest) {
    co_return rest.error();
  }
  co_return base::Result<void>();
}

}  // namespace connector
