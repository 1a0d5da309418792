#include "routing/anycast/backend_check.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <string_view>

namespace anycast {

namespace {

namespace asio = boost::asio;
using boost::asio::ip::udp;

constexpr std::size_t header_size = 12;
constexpr std::size_t label_max = 63;
constexpr std::size_t name_max = 255;
constexpr std::uint8_t response_bit = 0x80;       // third octet
constexpr std::uint8_t authoritative_bit = 0x04;  // third octet
constexpr std::uint8_t rcode_mask = 0x0f;         // fourth octet
constexpr std::uint8_t soa = 6;
constexpr unsigned nxdomain = 3;

std::uint8_t octet(std::size_t value) {
  return static_cast<std::uint8_t>(value & 0xffU);
}

char const* rcode_name(unsigned rcode) {
  constexpr std::array<char const*, 6> names{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
  return rcode < names.size() ? names.at(rcode) : "an error";
}

net::Task<base::Result<probe::Verdict>> converse(std::string text_address, std::uint16_t port,
                                                 std::vector<std::uint8_t> question) {
  boost::system::error_code error;
  auto const address = asio::ip::make_address(text_address, error);
  if (error) {
    co_return probe::Verdict{false, "'" + text_address + "' is not an IP address", {}};
  }
  udp::socket socket(co_await asio::this_coro::executor);
  socket.open(address.is_v4() ? udp::v4() : udp::v6(), error);
  if (!error) {
    socket.connect(udp::endpoint(address, port), error);
  }
  if (error) {
    co_return probe::Verdict{false, error.message(), {}};
  }
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await socket.async_send(asio::buffer(question), token);
  std::array<std::uint8_t, 1500> datagram{};
  while (!error) {
    std::size_t const size = co_await socket.async_receive(asio::buffer(datagram), token);
    std::span<std::uint8_t const> const received(datagram.data(), size);
    if (!error && answers(received, question)) {
      co_return judge_backend(received);
    }
  }
  co_return probe::Verdict{false, error.message(), {}};
}

std::string random_label() {
  std::random_device random;
  std::string label = "check-";
  for (int i = 0; i < 16; ++i) {
    label += "0123456789abcdef"[random() & 15U];
  }
  return label;
}

}  // namespace

std::vector<std::uint8_t> backend_question(std::string const& label, std::string const& zone, std::uint16_t id) {
  std::vector<std::uint8_t> message{octet(id >> 8U), octet(id), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  std::string_view const apex = zone.ends_with('.') ? std::string_view(zone).substr(0, zone.size() - 1) : zone;
  std::string const name = apex.empty() ? label : label + "." + std::string(apex);
  for (std::string_view rest = name;;) {
    std::size_t const size = std::min(rest.find('.'), rest.size());
    if (size == 0 || size > label_max) {
      return {};
    }
    message.push_back(octet(size));
    message.insert(message.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
    if (size == rest.size()) {
      break;
    }
    rest.remove_prefix(size + 1);
  }
  message.push_back(0);
  if (message.size() - header_size > name_max) {
    return {};
  }
  message.insert(message.end(), {0, soa, 0, 1});
  return message;
}

bool answers(std::span<std::uint8_t const> datagram, std::span<std::uint8_t const> question) {
  if (datagram.size() < question.size() || question.size() <= header_size) {
    return false;
  }
  bool const same_id = datagram[0] == question[0] && datagram[1] == question[1];
  bool const is_response = (datagram[2] & response_bit) != 0;
  return same_id && is_response &&
         std::equal(question.begin() + header_size, question.end(), datagram.begin() + header_size);
}

probe::Verdict judge_backend(std::span<std::uint8_t const> datagram) {
  unsigned const rcode = datagram[3] & rcode_mask;
  if (rcode != 0 && rcode != nxdomain) {
    return {false, std::string(rcode_name(rcode)) + " for a name that is not cached", {}};
  }
  if ((datagram[2] & authoritative_bit) == 0) {
    return {false, "no authority for a name that is not cached", {}};
  }
  return {true, "ok", {}};
}

net::Task<probe::Verdict> ask_backend(probe::Check check) {
  std::random_device random;
  auto const question = backend_question(random_label(), check.qname, static_cast<std::uint16_t>(random()));
  if (question.empty()) {
    co_return probe::Verdict{false, "'" + check.qname + "' leaves no room for a name below it", {}};
  }
  auto const began = std::chrono::steady_clock::now();
  auto const verdict =
      co_await net::within<probe::Verdict>(check.timeout, converse(check.address, check.port, question));
  auto const elapsed = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
  if (!verdict) {
    co_return probe::Verdict{false, "no answer for a name that is not cached", elapsed};
  }
  co_return probe::Verdict{verdict->success, verdict->reason, elapsed};
}

net::Task<probe::Verdict> check_service(probe::Check check) {
  auto const verdict = co_await probe::run(check);
  if (!verdict.success || check.type != probe::Type::dns) {
    co_return verdict;
  }
  co_return co_await ask_backend(check);
}

}  // namespace anycast
