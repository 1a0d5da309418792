#include "base/probe/probe.hpp"

#include "base/probe/attempt.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace probe {
namespace {

namespace asio = boost::asio;

net::Task<base::Result<Verdict>> attempt(Check check, ProgressPtr progress) {
  Verdict verdict;
  switch (check.type) {
    case Type::tcp:
      verdict = co_await tcp_attempt(std::move(check), std::move(progress));
      break;
    case Type::http:
    case Type::https:
      verdict = co_await http_attempt(std::move(check), std::move(progress));
      break;
    case Type::dns:
      verdict = co_await dns_attempt(std::move(check), std::move(progress));
      break;
  }
  co_return verdict;
}

using Range = std::pair<int, int>;

std::optional<int> status_code(std::string_view text) {
  int code = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc() || end != text.data() + text.size() || text.size() != 3 || code < 100 || code > 599) {
    return std::nullopt;
  }
  return code;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<Range> parse_range(std::string_view text) {
  if (text.size() == 3 && (text.ends_with("xx") || text.ends_with("XX")) && text[0] >= '1' && text[0] <= '5') {
    int const hundred = (text[0] - '0') * 100;
    return Range{hundred, hundred + 99};
  }
  std::size_t const dash = text.find('-');
  auto const first = status_code(trimmed(text.substr(0, dash)));
  auto const last = dash == std::string_view::npos ? first : status_code(trimmed(text.substr(dash + 1)));
  if (!first || !last || *first > *last) {
    return std::nullopt;
  }
  return Range{*first, *last};
}

// Calls `visit` for each range; false when the pattern is not one.
template <class Visit>
bool each_range(std::string_view pattern, Visit visit) {
  constexpr int ranges_max = 64;
  for (int count = 0; count < ranges_max; ++count) {
    std::size_t const comma = pattern.find(',');
    auto const range = parse_range(trimmed(pattern.substr(0, comma)));
    if (!range) {
      return false;
    }
    visit(*range);
    if (comma == std::string_view::npos) {
      return true;
    }
    pattern.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

net::Task<Verdict> run(Check check) {
  auto const begin = std::chrono::steady_clock::now();
  auto const timeout = check.timeout;
  auto progress = std::make_shared<Progress>();
  base::Result<Verdict> result = co_await net::within<Verdict>(timeout, attempt(std::move(check), progress));
  Verdict verdict = result.has_value()
                        ? std::move(*result)
                        : bad(progress->waiting_for + " within " + std::to_string(timeout.count()) + " ms");
  verdict.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  co_return verdict;
}

net::Task<Verdict> tcp_attempt(Check check, ProgressPtr progress) {
  boost::system::error_code error;
  asio::ip::address const address = asio::ip::make_address(check.address, error);
  if (error) {
    co_return bad("'" + check.address + "' is no IP address");
  }
  progress->waiting_for = "no connection";
  asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
  asio::ip::tcp::endpoint const endpoint(address, check.port);
  auto const [failed] = co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
  co_return failed ? bad(reason_of(failed)) : good();
}

Verdict good() {
  return {true, "ok", {}};
}

Verdict bad(std::string reason) {
  return {false, std::move(reason), {}};
}

std::string reason_of(boost::system::error_code error) {
  namespace code = boost::system::errc;
  static constexpr std::array<std::pair<code::errc_t, char const*>, 6> words{{
      {code::connection_refused, "connection refused"},
      {code::connection_reset, "connection reset"},
      {code::broken_pipe, "connection reset"},
      {code::host_unreachable, "host unreachable"},
      {code::network_unreachable, "network unreachable"},
      {code::timed_out, "no answer to the connection attempt"},
  }};
  for (auto const& [known, word] : words) {
    if (error == known) {
      return word;
    }
  }
  if (error == asio::error::eof) {
    return "closed without an answer";
  }
  return error.message();
}

bool code_matches(std::string const& expected_codes, int status) {
  bool matches = false;
  bool const valid = each_range(
      expected_codes, [&](Range range) { matches = matches || (range.first <= status && status <= range.second); });
  return valid && matches;
}

bool valid_codes(std::string const& expected_codes) {
  return each_range(expected_codes, [](Range) {});
}

}  // namespace probe
