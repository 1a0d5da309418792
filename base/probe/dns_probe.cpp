#include "base/probe/attempt.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <random>
#include <utility>

namespace probe {
namespace {

namespace asio = boost::asio;
constexpr auto values = asio::as_tuple(asio::use_awaitable);
using Octets = std::vector<std::uint8_t>;

net::Task<Verdict> ask_over_tcp(ContextPtr context, asio::ip::address address, Octets question) {
  context->waiting_for = "no connection";
  asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
  asio::ip::tcp::endpoint const endpoint(address, context->check.port);
  auto const [connect_error] = co_await socket.async_connect(endpoint, values);
  if (connect_error) {
    co_return bad(reason_of(connect_error));
  }
  context->waiting_for = "connected, but no answer";
  // RFC 7766 8: length and message in one write, or some servers answer only after the second segment.
  Octets framed{static_cast<std::uint8_t>(question.size() >> 8U), static_cast<std::uint8_t>(question.size() & 0xffU)};
  framed.insert(framed.end(), question.begin(), question.end());
  auto const [write_error, written] = co_await asio::async_write(socket, asio::buffer(framed), values);
  if (write_error) {
    co_return bad(reason_of(write_error));
  }
  std::array<std::uint8_t, 2> length{};
  auto const [length_error, length_size] = co_await asio::async_read(socket, asio::buffer(length), values);
  if (length_error) {
    co_return bad(reason_of(length_error));
  }
  Octets answer((std::size_t{length[0]} << 8U) | length[1]);
  auto const [read_error, read_size] = co_await asio::async_read(socket, asio::buffer(answer), values);
  if (read_error) {
    co_return bad("closed in the middle of the answer");
  }
  if (!is_answer_to(answer, question)) {
    co_return bad("the answer is not for our question");
  }
  co_return judge_dns_answer(context->check, answer);
}

net::Task<Verdict> ask_over_udp(ContextPtr context, asio::ip::address address, Octets question) {
  context->waiting_for = "no answer";
  asio::ip::udp::socket socket(co_await asio::this_coro::executor);
  boost::system::error_code error;
  socket.open(address.is_v4() ? asio::ip::udp::v4() : asio::ip::udp::v6(), error);
  if (!error) {
    // A connected socket hears only its peer, and hears "port unreachable" as an error.
    socket.connect(asio::ip::udp::endpoint(address, context->check.port), error);
  }
  if (error) {
    co_return bad(reason_of(error));
  }
  auto const [send_error, sent] = co_await socket.async_send(asio::buffer(question), values);
  if (send_error) {
    co_return bad(reason_of(send_error));
  }
  Octets buffer(answer_limit);
  for (;;) {
    auto const [receive_error, size] = co_await socket.async_receive(asio::buffer(buffer), values);
    if (receive_error) {
      co_return bad(reason_of(receive_error));
    }
    std::span<std::uint8_t const> const answer(buffer.data(), size);
    // Anything else is a late or forged datagram; the deadline ends the wait for the right one.
    if (!is_answer_to(answer, question)) {
      continue;
    }
    if (is_truncated(answer)) {
      co_return co_await ask_over_tcp(std::move(context), std::move(address), std::move(question));
    }
    co_return judge_dns_answer(context->check, answer);
  }
}

}  // namespace

net::Task<Verdict> dns_attempt(ContextPtr context) {
  Check const& check = context->check;
  Verdict problem;
  auto const address = target_address(check.address, problem);
  if (!address) {
    co_return problem;
  }
  // The id guards against late answers of an earlier check, not against forgery: the socket is connected.
  std::random_device random;
  Octets question = dns_question(check, static_cast<std::uint16_t>(random()));
  if (question.empty()) {
    co_return bad("'" + check.qname + " " + check.qtype + "' is no DNS question");
  }
  if (check.tcp) {
    co_return co_await ask_over_tcp(std::move(context), *address, std::move(question));
  }
  co_return co_await ask_over_udp(std::move(context), *address, std::move(question));
}

}  // namespace probe
