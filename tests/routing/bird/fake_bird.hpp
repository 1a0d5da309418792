// A control socket with BIRD's manners and a script, for tests: answers from a function, counts what it was asked.
#pragma once

#include "base/net/task.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fake_bird {

namespace asio = boost::asio;
using asio::local::stream_protocol;

// The whole text that follows a command; empty closes the connection, "hang" never answers.
using Script = std::function<std::string(std::string const& command)>;

struct State {
  explicit State(asio::any_io_executor const& executor) : acceptor(executor) {}
  stream_protocol::acceptor acceptor;
  Script script;
  std::string greeting = "0001 BIRD 2.0.12 ready.\n";
  std::vector<std::string> commands;
  std::vector<std::shared_ptr<stream_protocol::socket>> kept;
};

inline net::Task<void> serve_one(std::shared_ptr<State> state, std::shared_ptr<stream_protocol::socket> socket) {
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await asio::async_write(*socket, asio::buffer(state->greeting), token);
  std::string buffer;
  for (;;) {
    auto into = asio::dynamic_buffer(buffer);
    std::size_t const size = co_await asio::async_read_until(*socket, into, '\n', token);
    if (error) {
      co_return;
    }
    std::string const command = buffer.substr(0, size - 1);
    buffer.erase(0, size);
    state->commands.push_back(command);
    std::string const reply = state->script(command);
    if (reply.empty()) {
      co_return;
    }
    if (reply == "hang") {
      state->kept.push_back(socket);
      co_return;
    }
    co_await asio::async_write(*socket, asio::buffer(reply), token);
    if (error) {
      co_return;
    }
  }
}

inline net::Task<void> accept_loop(std::shared_ptr<State> state) {
  for (;;) {
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    auto socket = std::make_shared<stream_protocol::socket>(state->acceptor.get_executor());
    co_await state->acceptor.async_accept(*socket, token);
    if (error) {
      co_return;
    }
    net::spawn(state->acceptor.get_executor(), "fake bird", serve_one(state, socket));
  }
}

class FakeBird {
 public:
  FakeBird(asio::io_context& io, Script script) : state_(std::make_shared<State>(io.get_executor())) {
    static int number = 0;
    folder_ = std::filesystem::temp_directory_path() /
              ("fake-bird-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
    std::filesystem::create_directories(folder_);
    state_->script = std::move(script);
    stream_protocol::endpoint const endpoint(path());
    state_->acceptor.open();
    state_->acceptor.bind(endpoint);
    state_->acceptor.listen();
    net::spawn(io.get_executor(), "fake bird", accept_loop(state_));
  }
  ~FakeBird() {
    stop();
    std::filesystem::remove_all(folder_);
  }
  FakeBird(FakeBird const&) = delete;
  FakeBird& operator=(FakeBird const&) = delete;

  void stop() {
    boost::system::error_code ignored;
    state_->acceptor.close(ignored);
    state_->kept.clear();
  }
  void greet(std::string greeting) { state_->greeting = std::move(greeting); }
  [[nodiscard]] std::string path() const { return (folder_ / "bird.ctl").string(); }
  [[nodiscard]] std::vector<std::string> const& commands() const { return state_->commands; }

 private:
  std::shared_ptr<State> state_;
  std::filesystem::path folder_;
};

}  // namespace fake_bird
