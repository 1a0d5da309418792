#include "dns-backend/connector/session.hpp"

#include "base/process/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>

namespace connector {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto line_deadline = 10s;
constexpr auto reply_deadline = 10s;
constexpr std::size_t kept_capacity = 1U << 20U;  // a buffer that grew above this for one large reply is given back

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

net::Task<void> Session::run(std::shared_ptr<Session> self) {
  boost::system::error_code ignored;
  self->socket_.non_blocking(true, ignored);
  for (;;) {
    base::Result<void> done = co_await self->read_line();
    if (!done) {
      if (done.error().code != net::errc::closed && done.error().code != net::errc::cancelled) {
        process::log::warning("remote", "connection closed: {}", done.error().what());
        self->serving_.meters.failed(done.error().code);
      }
      break;
    }
    std::string_view const line(self->in_.data(), self->line_end_);
    done = co_await self->reply_to(line);
    if (!done) {
      process::log::warning("remote", "connection closed instead of an answer: {}", done.error().what());
      self->serving_.meters.failed(done.error().code);
      break;
    }
    done = co_await self->write_reply();
    if (!done) {
      break;
    }
    if (self->listed_ && self->serving_.listed) {
      self->serving_.listed(self->listed_);
    }
    self->listed_.reset();
    self->in_.erase(0, self->line_end_);
    if (self->in_.capacity() > kept_capacity) {
      self->in_.shrink_to_fit();
    }
  }
  self->close();
}

void Session::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

net::Task<base::Result<std::size_t>> Session::read_some() {
  std::size_t const before = in_.size();
  in_.resize(before + 4096);
  boost::system::error_code error;
  std::size_t const count = co_await socket_.async_read_some(asio::buffer(in_.data() + before, 4096),
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

net::Task<base::Result<void>> Session::read_line() {
  std::size_t searched = 0;
  for (;;) {
    std::size_t const newline = in_.find('\n', searched);
    if (newline != std::string::npos) {
      line_end_ = newline + 1;
      co_return base::Result<void>();
    }
    if (in_.size() >= remote::request_limit) {
      co_return base::fail(remote::errc::too_large, "a request of more than " + std::to_string(remote::request_limit) + " octets");
    }
    searched = in_.size();
    base::Result<std::size_t> count(0);
    if (in_.empty()) {
      count = co_await read_some();
    } else {
      count = co_await net::within<std::size_t>(line_deadline, read_some());
    }
    if (!count) {
      co_return count.error();
    }
  }
}

bool Session::answer_at_once(std::string_view line) {
  out_.clear();
  std::shared_ptr<store::Snapshot const> const& snapshot = serving_.reader.get();
  remote::World const world{*snapshot, serving_.health, serving_.refuse_while_empty, writer_.overlay()};
  if (!remote::answer_at_once(line, world, out_)) {
    return false;
  }
  serving_.meters.requests[static_cast<std::size_t>(remote::Method::lookup)].add();
  return true;
}

net::Task<base::Result<void>> Session::reply_to(std::string_view line) {
  auto const begin = std::chrono::steady_clock::now();
  if (answer_at_once(line)) {
    std::chrono::duration<double> const elapsed = std::chrono::steady_clock::now() - begin;
    serving_.meters.seconds[static_cast<std::size_t>(remote::Method::lookup)].add(elapsed.count());
    co_return base::Result<void>();
  }
  base::Result<remote::Request> request = remote::parse_request(line);
  if (!request) {
    co_return request.error();
  }
  auto const method = static_cast<std::size_t>(request->method);
  serving_.meters.requests[method].add();
  out_.clear();
  if (out_.capacity() > kept_capacity) {
    out_.shrink_to_fit();
  }
  base::Result<void> done;
  if (remote::is_write(request->method)) {
    std::shared_ptr<store::Snapshot const> const snapshot = serving_.reader.get();
    base::Result<std::string> written = co_await writer_.handle(std::move(*request), snapshot, unix_now());
    if (written) {
      out_ = std::move(*written);
    } else {
      done = written.error();
    }
  } else {
    std::shared_ptr<store::Snapshot const> const& snapshot = serving_.reader.get();
    remote::World const world{*snapshot, serving_.health, serving_.refuse_while_empty, writer_.overlay(), unix_now()};
    done = remote::answer(*request, world, out_);
    if (request->method == remote::Method::get_all_domains) {
      listed_ = snapshot;
    }
  }
  std::chrono::duration<double> const elapsed = std::chrono::steady_clock::now() - begin;
  serving_.meters.seconds[method].add(elapsed.count());
  co_return done;
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
