// A name server that knows TXT and CAA only, over UDP and TCP on one port of loopback: what a DNS site looks like to a
// probe.
//
// Threads: one loop, the test's.
#pragma once

#include "base/net/task.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace test {

class TxtServer {
 public:
  // `lookup("_acme-challenge.a.example")` gives the values; none: NXDOMAIN.
  TxtServer(net::asio::io_context& loop, std::function<std::vector<std::string>(std::string)> lookup)
      : state_(bind_both(loop, std::move(lookup))) {
    net::spawn(loop.get_executor(), "test udp", serve_udp(state_));
    net::spawn(loop.get_executor(), "test tcp", serve_tcp(state_));
  }
  // The contents of CAA RRsets, in presentation form: `0 issue "ca.example"`.
  void answer_caa(std::function<std::vector<std::string>(std::string)> lookup) { state_->caa = std::move(lookup); }
  [[nodiscard]] std::uint16_t port() const { return state_->udp.local_endpoint().port(); }
  [[nodiscard]] int questions() const { return state_->questions; }
  // Answers nothing any more, as a dead site.
  void stop() {
    state_->udp.close();
    state_->tcp.close();
  }

 private:
  using tcp = net::asio::ip::tcp;
  using udp = net::asio::ip::udp;
  struct State {
    State(net::asio::io_context& loop, std::function<std::vector<std::string>(std::string)> answers)
        : udp(loop, {net::asio::ip::make_address("127.0.0.1"), 0}),
          tcp(loop, {net::asio::ip::make_address("127.0.0.1"), udp.local_endpoint().port()}),
          lookup(std::move(answers)) {}
    net::asio::ip::udp::socket udp;
    net::asio::ip::tcp::acceptor tcp;
    std::function<std::vector<std::string>(std::string)> lookup, caa;
    int questions = 0;
  };
  // A port that is free for UDP may be taken for TCP by another test that runs at the same time; then the next one.
  static std::shared_ptr<State> bind_both(net::asio::io_context& loop,
                                          std::function<std::vector<std::string>(std::string)> const& lookup) {
    for (int attempt = 0;; ++attempt) {
      try {
        return std::make_shared<State>(loop, lookup);
      } catch (boost::system::system_error const&) {
        if (attempt == 20) {
          throw;
        }
      }
    }
  }
  static constexpr auto quiet = net::asio::as_tuple(net::asio::use_awaitable);

  static std::string answer(State& state, std::string const& question) {
    ++state.questions;
    std::string name;
    std::size_t at = 12;
    while (at < question.size() && question[at] != 0) {
      auto const length = static_cast<std::uint8_t>(question[at]);
      name += (name.empty() ? "" : ".") + question.substr(at + 1, length);
      at += length + 1U;
    }
    std::size_t const end = at + 5;  // root label, type, class
    bool const of_caa = question[end - 4] == 1;  // type 257; TXT is 16
    std::vector<std::string> values;
    if (!of_caa || state.caa) {
      values = of_caa ? state.caa(name) : state.lookup(name);
    }
    std::string text = question.substr(0, end);
    text[2] = static_cast<char>(0x84 | (question[2] & 0x01));
    text[3] = values.empty() ? 3 : 0;
    text[7] = static_cast<char>(values.size());
    text[9] = text[11] = 0;
    for (std::string const& value : values) {
      std::string const data = of_caa ? caa_data(value) : std::string(1, static_cast<char>(value.size())) + value;
      std::string const record{'\xc0', 0x0c, of_caa ? '\x01' : '\x00', of_caa ? '\x01' : '\x10', 0, 1, 0, 0, 0, 1};
      text += record;
      text += static_cast<char>(data.size() / 256);
      text += static_cast<char>(data.size() % 256);
      text += data;
    }
    return text;
  }

  // RFC 8659 section 4.1.
  static std::string caa_data(std::string const& content) {
    std::size_t const tag = content.find(' ') + 1;
    std::size_t const value = content.find(' ', tag) + 1;
    std::string data(1, static_cast<char>(std::stoi(content)));
    data += static_cast<char>(value - 1 - tag);
    return data + content.substr(tag, value - 1 - tag) + content.substr(value + 1, content.size() - value - 2);
  }

  static net::Task<void> serve_udp(std::shared_ptr<State> state) {
    std::array<char, 4096> buffer{};
    udp::endpoint peer;
    for (;;) {
      auto const [error, size] = co_await state->udp.async_receive_from(net::asio::buffer(buffer), peer, quiet);
      if (error) {
        co_return;
      }
      std::string const reply = answer(*state, {buffer.data(), size});
      co_await state->udp.async_send_to(net::asio::buffer(reply), peer, quiet);
    }
  }

  static net::Task<void> serve_tcp(std::shared_ptr<State> state) {
    for (;;) {
      auto [error, socket] = co_await state->tcp.async_accept(quiet);
      if (error) {
        co_return;
      }
      std::array<unsigned char, 2> length{};
      co_await net::asio::async_read(socket, net::asio::buffer(length), quiet);
      std::string question(length[0] * 256U + length[1], '\0');
      auto const [failed, got] = co_await net::asio::async_read(socket, net::asio::buffer(question), quiet);
      if (!failed && got > 16) {
        std::string reply = answer(*state, question);
        reply.insert(0, {static_cast<char>(reply.size() / 256), static_cast<char>(reply.size() % 256)});
        co_await net::asio::async_write(socket, net::asio::buffer(reply), quiet);
      }
    }
  }

  std::shared_ptr<State> state_;
};

}  // namespace test
